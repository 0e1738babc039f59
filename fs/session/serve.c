/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serve.c: the request threads. Each takes a request from the kernel, and handles and answers it or
 * hands it to somebody who will; none waits for another request.
 *
 * A loop of our own, as libfuse's ends its threads before we can say that we no longer wait for
 * answers, and as libfuse 3.14 does not know O_TMPFILE.
 */
#include "session/session.h"

#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_THREADS = 8, FUSE_TMPFILE_OPCODE = 51 /* Linux 6.2 */ };

static sem_t ended;

/* Asks for a file without a name as for one whose name can't be: "/" (both are laid out alike). */
static void mend(struct fuse_buf *buf)
{
	struct fuse_in_header *in = buf->mem;

	if (!(buf->flags & FUSE_BUF_IS_FD) && buf->size >= sizeof(*in) &&
	    in->opcode == FUSE_TMPFILE_OPCODE)
		in->opcode = FUSE_CREATE;
}

static void free_buf(void *buf)
{
	free(((struct fuse_buf *)buf)->mem);
}

static void *request_thread(void *arg)
{
	struct fuse_session *se = arg;
	struct fuse_buf buf = {0};
	int n = 1;

	pthread_cleanup_push(free_buf, &buf);
	while (n > 0 || n == -EINTR) {
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
		n = fuse_session_receive_buf(se, &buf);
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
		if (n > 0) {
			mend(&buf);
			fuse_session_process_buf(se, &buf);
		}
	}
	sem_post(&ended); /* the mount is gone */
	pthread_cleanup_pop(1);
	return NULL;
}

/* Signals are for the thread that waits for the end. */
static int start_thread(pthread_t *thread, struct fuse_session *se)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(thread, NULL, request_thread, se);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

int session_serve(struct fuse_session *se, unsigned threads, void (*stop)(void))
{
	pthread_t thread[MAX_THREADS];
	struct timespec until;
	unsigned n = 0;
	int err = 0;

	sem_init(&ended, 0, 0);
	while (!err && n < threads && n < MAX_THREADS) {
		err = start_thread(&thread[n], se);
		n += !err;
	}
	while (!err && !fuse_session_exited(se)) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++; /* a signal may come between the question and the wait */
		if (!sem_timedwait(&ended, &until))
			break;
	}
	stop();
	for (unsigned i = 0; i < n; i++)
		pthread_cancel(thread[i]);
	for (unsigned i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	sem_destroy(&ended);
	return err;
}
