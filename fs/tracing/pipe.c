/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pipe.c: trace_pipe: what is read leaves the ring; who finds nothing waits without a thread. */
#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>

#include "tracing/tracing.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 128 };

/* A read that waits. The list, the poll handles and all readers' fields are under pipe_lock. */
struct parked {
	struct parked *next;
	fuse_req_t req;
	struct pipe_reader *reader;
	size_t size;
	bool interrupted;
};
struct poller {
	struct poller *next;
	struct fuse_pollhandle *ph;
};
static struct parked *parked;
static struct poller *pollers;
static uint64_t position; /* of the last record that was read, by whomever */
static pthread_mutex_t pipe_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t work;
static pthread_t thread;
static atomic_bool ending, running;

void tracing_wake(void)
{
	sem_post(&work);
}

/* More text for a reader; false if there is none. With wait the engine tells of the next record. */
static bool fetch(struct pipe_reader *r, bool wait)
{
	struct pr_trace_record rec[BATCH];
	char line[1024], comm[16];
	uint64_t lost;
	FILE *to;
	unsigned n = pr_trace_read(&tracing_trace, &position, rec, BATCH, true, wait, &lost);

	if (!n)
		return false;
	free(r->rest);
	r->rest = NULL;
	to = open_memstream(&r->rest, &r->rest_size);
	if (!to)
		return false;
	if (lost)
		fprintf(to, "CPU:%u [LOST %llu EVENTS]\n", rec[0].cpu, (unsigned long long)lost);
	for (unsigned i = 0; i < n; i++) {
		pr_trace_line(&rec[i], tracing_comm((pid_t)rec[i].task, comm), line, sizeof(line));
		fputs(line, to);
	}
	fclose(to);
	r->rest_len = r->rest_size;
	r->had_some = true;
	return true;
}

/* Whole lines if one fits; false if there is nothing to say yet. */
static bool answer(fuse_req_t req, struct pipe_reader *r, size_t size, bool wait)
{
	size_t n;
	char *last;

	if (!r->rest_len && !fetch(r, wait)) {
		if (tracing_trace.on || !r->had_some)
			return false;
		fuse_reply_buf(req, NULL, 0); /* tracing is off, and all was read */
		return true;
	}
	n = r->rest_len < size ? r->rest_len : size;
	last = n < r->rest_len ? memrchr(r->rest, '\n', n) : NULL;
	if (last)
		n = (size_t)(last - r->rest) + 1;
	fuse_reply_buf(req, r->rest, n);
	memmove(r->rest, r->rest + n, r->rest_len - n);
	r->rest_len -= n;
	return true;
}

/* May come at once, from within fuse_req_interrupt_func, which holds pipe_lock here. */
static void interrupted(fuse_req_t, void *data)
{
	__atomic_store_n(&((struct parked *)data)->interrupted, true, __ATOMIC_RELEASE);
	tracing_wake();
}

void pipe_read(fuse_req_t req, struct pipe_reader *r, size_t size, bool nonblock)
{
	struct parked *p;

	pthread_mutex_lock(&pipe_lock);
	if (answer(req, r, size, !nonblock)) {
		pthread_mutex_unlock(&pipe_lock);
		return;
	}
	p = nonblock || ending ? NULL : calloc(1, sizeof(*p));
	if (!p) {
		fuse_reply_err(req, nonblock ? EAGAIN : ENOMEM);
	} else {
		*p = (struct parked){parked, req, r, size, false};
		parked = p;
		fuse_req_interrupt_func(req, interrupted, p);
	}
	pthread_mutex_unlock(&pipe_lock);
}

unsigned pipe_poll(struct fuse_pollhandle *ph)
{
	struct poller *p = ph ? calloc(1, sizeof(*p)) : NULL;
	struct pr_trace_record rec;
	uint64_t pos, lost;
	bool ready;

	pthread_mutex_lock(&pipe_lock);
	pos = position;
	ready = pr_trace_read(&tracing_trace, &pos, &rec, 1, false, true, &lost);
	if (p) {
		*p = (struct poller){pollers, ph};
		pollers = p;
	} else if (ph) {
		fuse_pollhandle_destroy(ph);
	}
	pthread_mutex_unlock(&pipe_lock);
	if (ready && p)
		tracing_wake(); /* the handle goes back the usual way */
	return ready ? POLLIN | POLLRDNORM : 0;
}

void pipe_close(struct pipe_reader *r)
{
	pthread_mutex_lock(&pipe_lock);
	free(r->rest);
	free(r);
	pthread_mutex_unlock(&pipe_lock);
}

static void serve_readers(void)
{
	for (struct parked **at = &parked; *at;) {
		struct parked *p = *at;
		bool gone = __atomic_load_n(&p->interrupted, __ATOMIC_ACQUIRE);

		if (!gone && !ending && !answer(p->req, p->reader, p->size, true)) {
			at = &p->next;
			continue;
		}
		if (gone)
			fuse_reply_err(p->req, EINTR);
		else if (ending)
			fuse_reply_buf(p->req, NULL, 0);
		*at = p->next;
		free(p);
	}
}

/* Tells the kernel without a lock that a handler takes (R1). */
static void serve_pollers(void)
{
	struct pr_trace_record rec;
	uint64_t pos, lost;
	struct poller *all;

	pthread_mutex_lock(&pipe_lock);
	pos = position;
	all = pollers;
	if (!ending && !pr_trace_read(&tracing_trace, &pos, &rec, 1, false, true, &lost))
		all = NULL;
	if (all)
		pollers = NULL;
	pthread_mutex_unlock(&pipe_lock);
	while (all) {
		struct poller *next = all->next;

		fuse_lowlevel_notify_poll(all->ph);
		fuse_pollhandle_destroy(all->ph);
		free(all);
		all = next;
	}
}

static void *serve(void *)
{
	while (!ending) {
		while (sem_wait(&work))
			;
		pthread_mutex_lock(&pipe_lock);
		serve_readers();
		pthread_mutex_unlock(&pipe_lock);
		serve_pollers();
	}
	return NULL;
}

int tracing_start(void)
{
	int err;

	if (!running)
		sem_init(&work, 0, 0);
	err = pthread_create(&thread, NULL, serve, NULL);
	running = !err;
	return -err;
}

void tracing_stop(void)
{
	if (!running)
		return;
	ending = true;
	tracing_wake();
	pthread_join(thread, NULL);
	running = false;
	/* one more: a read may have been parked while the thread ended */
	pthread_mutex_lock(&pipe_lock);
	serve_readers();
	pthread_mutex_unlock(&pipe_lock);
}
