/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c: pagerig [options] MOUNTPOINT: the machine is made, mounted, served and taken down. */
#include "main/machine.h"
#include "main/mount.h"
#include "session/handle.h"
#include "session/inodes.h"
#include "shm/shm.h"
#include "shm/swap.h"
#include "tasks/tasks.h"
#include "tracing/tracing.h"

#include "native/allocations.h"
#include "native/native.h"
#include "native/replay.h"
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct rig rig = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int run(struct fuse_args *args, struct options *o)
{
	int err;

	if (options_size(o->backing, &rig.backing_limit)) {
		fprintf(stderr, "pagerig: --backing: '%s' is not a size such as 512M\n",
			o->backing);
		return 1;
	}
	if (!o->machine)
		o->machine = strdup("1G");
	if (!o->machine || machine_make(o->machine))
		return 1;
	rig.m.host.report = failure_report;
	rig.m.host.migrate = allocation_migrate;
	rig.m.host.shmem = failure_shmem;
	if (tracing_init()) {
		fprintf(stderr, "pagerig: no memory for the ring of trace events\n");
		return 1;
	}
	for (unsigned i = 0; i < o->nr_swaps; i++)
		if (swap_add(o->swap[i]))
			return 1;
	err = shm_init(rig.backing_limit);
	if (err) {
		fprintf(stderr, "pagerig: no memory for shm/: %s\n", strerror(-err));
		return 1;
	}
	err = tasks_init();
	if (err) {
		fprintf(stderr, "pagerig: no memory for tasks/: %s\n", strerror(-err));
		return 1;
	}
	fuse_opt_add_arg(args, "-odefault_permissions,fsname=pagerig,subtype=pagerig");
	err = mount_and_serve(args, o);
	handles_exit();
	replay_exit();
	allocations_exit();
	tasks_exit();
	shm_exit();
	inodes_exit();
	tracing_exit();
	error_log_exit();
	munmap(rig.m.arena, rig.arena_size);
	return err;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct options o = {0};
	int ret = 1;

	if (!options_parse(&args, &o)) {
		ret = 0;
		if (o.help) {
			options_help(args.argv[0]);
		} else if (o.version) {
			printf("pagerig 0.1.0 (Linux 6.12's page allocator)\n");
			fuse_lowlevel_version();
		} else {
			ret = run(&args, &o);
		}
	}
	options_free(&o);
	fuse_opt_free_args(&args);
	return ret;
}
