/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/mount.h"

#include "reclaim/reclaim.h"
#include "shm/shm.h"
#include "tracing/tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct mounted {
	char device[32]; /* major:minor */
	char type[64];
};

/* \040 and its like in /proc/self/mountinfo are bytes. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

/* Is there a mount at this very path? The topmost one. */
static bool mount_at(const char *path, struct mounted *m)
{
	FILE *info = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	while (info && getline(&line, &size, info) > 0) {
		struct mounted one;
		char point[4096], *dash = strstr(line, " - ");

		if (!dash || sscanf(dash, " - %63s", one.type) != 1 ||
		    sscanf(line, "%*s %*s %31s %*s %4095s", one.device, point) != 2)
			continue;
		unescape(point);
		if (strcmp(point, path))
			continue;
		*m = one;
		found = true;
	}
	free(line);
	if (info)
		fclose(info);
	return found;
}

static char *refuse_point(const char *path, const char *why)
{
	fprintf(stderr, "pagerig: %s: %s\n", path, why);
	return NULL;
}

char *mount_point_check(const char *path)
{
	struct mounted m;
	struct stat st;
	char *full;

	if (stat(path, &st)) {
		if (errno == ENOTCONN || errno == ECONNABORTED) /* the latter while it dies */
			return refuse_point(path, "the daemon of an earlier mount is dead; "
						  "fusermount3 -u clears it away");
		return refuse_point(path, errno == ENOENT ? "there is no such directory"
							  : strerror(errno));
	}
	if (!S_ISDIR(st.st_mode))
		return refuse_point(path, "this is not a directory");
	full = realpath(path, NULL);
	if (!full)
		return refuse_point(path, strerror(errno));
	if (mount_at(full, &m)) {
		fprintf(stderr,
			"pagerig: %s: busy: a file system of type %s is mounted there already\n",
			path, m.type);
		free(full);
		return NULL;
	}
	return full;
}

static bool device_works(void)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "pagerig: /dev/fuse: %s; %s\n", strerror(errno),
			errno == EACCES || errno == EPERM
				? "this user may not open it"
				: "load the kernel's fuse module, or allow it in this container");
		return false;
	}
	close(fd);
	return true;
}

static void write_to(const char *dir, const char *file, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "pagerig: %s: %s\n", path, strerror(errno));
	close(fd);
}

/*
 * FUSE's limits on dirty memory slow writers of mappings down: 1 % of memory, strictly. Root may
 * lift them for this mount; as another user it works slower.
 */
static void tune_backing_device(const char *path)
{
	struct mounted m;
	char dir[64];

	if (geteuid() || !mount_at(path, &m))
		return;
	snprintf(dir, sizeof(dir), "/sys/class/bdi/%s", m.device);
	write_to(dir, "strict_limit", "0");
	write_to(dir, "max_ratio", "100");
}

static void detach_from_terminal(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	if (chdir("/"))
		perror("pagerig: /");
	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

/*
 * The daemon is a child; its parent stays until a first request was answered, and ends here: what
 * the two share at the fork is the daemon's to clean up.
 */
static void into_background(struct fuse_session *se, const char *path)
{
	pid_t daemon = fork();
	struct stat st;

	if (!daemon) {
		detach_from_terminal();
		return;
	}
	/* what the daemon's death cuts off must not be held open here */
	if (daemon > 0)
		close(fuse_session_fd(se));
	if (daemon > 0 && !stat(path, &st))
		_exit(0);
	fprintf(stderr, "pagerig: %s: the daemon did not come to serve: %s\n", path,
		strerror(errno));
	umount2(path, MNT_DETACH);
	_exit(1);
}

static void stop(void)
{
	kswapd_stop();
	tracing_stop();
	shm_stop();
}

static int serve(struct fuse_session *se, bool single)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all); /* signals are for this thread */
	pthread_sigmask(SIG_BLOCK, &all, &old);
	ret = shm_start(se);
	if (!ret)
		ret = tracing_start();
	if (!ret)
		ret = kswapd_start();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!ret)
		ret = session_serve(se, single ? 1 : 4, stop);
	return ret;
}

int mount_and_serve(struct fuse_args *args, const struct options *o)
{
	struct fuse_session *se;
	int ret = 1;

	if (!device_works())
		return 1;
	se = fuse_session_new(args, &session_ops, sizeof(session_ops), NULL);
	if (!se)
		return 1;
	if (!fuse_set_signal_handlers(se)) {
		if (!fuse_session_mount(se, o->mountpoint)) {
			tune_backing_device(o->mountpoint);
			if (!o->foreground && !o->debug)
				into_background(se, o->mountpoint);
			ret = serve(se, o->single) < 0;
			fuse_session_unmount(se);
		}
		fuse_remove_signal_handlers(se);
	}
	fuse_session_destroy(se);
	return ret;
}
