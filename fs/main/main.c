/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c: pagerig [options] MOUNTPOINT: command line, machine, mount, daemonize, serve. */
#include "session/handle.h"
#include "session/inodes.h"
#include "session/session.h"
#include "shm/shm.h"

#include "native/allocations.h"
#include "native/replay.h"
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

struct rig rig = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct options {
	char *machine, *backing;
};
#define OPTION(text, field) {text, offsetof(struct options, field), 1}
static const struct fuse_opt option_table[] = {
	OPTION("--machine=%s", machine), OPTION("--machine %s", machine),
	OPTION("machine=%s", machine),	 OPTION("--backing=%s", backing),
	OPTION("--backing %s", backing), OPTION("backing=%s", backing),
	FUSE_OPT_END,
};

static void usage(const char *program)
{
	printf("usage: %s [options] MOUNTPOINT\n\n"
	       "    --machine SHAPE        64M, 1G, 2x4G, 4x64G,cpus=8,movable=25%%,distance=10:21:… (default 1G)\n"
	       "    -o machine=SHAPE       the same, with ':' for the commas\n"
	       "    --backing SIZE         host memory for shm/ (default: half of what is free)\n\n",
	       program);
	fuse_cmdline_help();
	fuse_lowlevel_help();
}

static void report(void *ctx, const char *text)
{
	rig_error("%s", text);
}

static int parse_backing(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	struct sysinfo si;
	const char *unit;
	char *end;

	if (!text) {
		sysinfo(&si);
		*bytes = (uint64_t)si.freeram * si.mem_unit / 2;
		return 0;
	}
	*bytes = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (end == text || *text == '-' || (*end && (!unit || end[1])))
		return -EINVAL;
	if (unit)
		*bytes <<= 10 * (unit - units + 1);
	return *bytes >= PR_PAGE_SIZE ? 0 : -EINVAL;
}

/* -o takes commas for itself: there the shape's are written as colons. */
static void colons_to_commas(char *shape)
{
	for (char *p = shape; (p = strchr(p, ':')); p++)
		if (strchr("cmd", p[1])) /* the next key, not the next distance */
			*p = ',';
}

static int make_machine(char *shape)
{
	struct pr_spec spec;
	char why[256];
	void *arena;
	int err;

	colons_to_commas(shape);
	err = pr_spec_parse(shape, &spec, why, sizeof(why));
	if (err) {
		fprintf(stderr, "pagerig: --machine: %s\n", why);
		return err;
	}
	rig.arena_size = pr_machine_size(&spec);
	arena = mmap(NULL, rig.arena_size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	err = arena == MAP_FAILED ? -ENOMEM
				  : pr_machine_create(&rig.m, arena, rig.arena_size, &spec);
	pr_spec_free(&spec);
	if (err)
		fprintf(stderr, "pagerig: --machine: the host can't hold it: %s\n", strerror(-err));
	rig.m.host.report = report;
	return err;
}

static int serve(struct fuse_session *se)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int ret;

	if (!config)
		return -ENOMEM;
	fuse_loop_cfg_set_clone_fd(config, 0);
	fuse_loop_cfg_set_max_threads(config, 4);
	fuse_loop_cfg_set_idle_threads(config, 4);
	ret = fuse_session_loop_mt(se, config);
	fuse_loop_cfg_destroy(config);
	return ret;
}

static int mount_and_serve(struct fuse_args *args, const struct fuse_cmdline_opts *cmd)
{
	struct fuse_session *se = fuse_session_new(args, &session_ops, sizeof(session_ops), NULL);
	int ret = 1;

	if (!se)
		return 1;
	if (!fuse_set_signal_handlers(se)) {
		if (!fuse_session_mount(se, cmd->mountpoint)) {
			/* from here on the kernel keeps requests until they are served */
			if (!fuse_daemonize(cmd->foreground))
				ret = serve(se) < 0;
			fuse_session_unmount(se);
		}
		fuse_remove_signal_handlers(se);
	}
	fuse_session_destroy(se);
	return ret;
}

static int run(struct fuse_args *args, struct options *o, struct fuse_cmdline_opts *cmd)
{
	int err;

	if (cmd->show_help) {
		usage(args->argv[0]);
		return 0;
	}
	if (cmd->show_version) {
		printf("pagerig 0.1.0 (Linux 6.12's page allocator)\n");
		fuse_lowlevel_version();
		return 0;
	}
	if (!cmd->mountpoint) {
		fprintf(stderr, "pagerig: where to? usage: %s [options] MOUNTPOINT\n", args->argv[0]);
		return 1;
	}
	if (parse_backing(o->backing, &rig.backing_limit)) {
		fprintf(stderr, "pagerig: --backing: '%s' is not a size such as 512M\n", o->backing);
		return 1;
	}
	if (!o->machine)
		o->machine = strdup("1G");
	if (!o->machine || make_machine(o->machine))
		return 1;
	err = shm_init(rig.backing_limit);
	if (err) {
		fprintf(stderr, "pagerig: no memory for shm/: %s\n", strerror(-err));
		return 1;
	}
	fuse_opt_add_arg(args, "-odefault_permissions,fsname=pagerig,subtype=pagerig");
	err = mount_and_serve(args, cmd);
	handles_exit();
	replay_exit();
	allocations_exit();
	shm_exit();
	inodes_exit();
	munmap(rig.m.arena, rig.arena_size);
	return err;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts cmd = {0};
	struct options o = {0};
	int ret = 1;

	if (!fuse_opt_parse(&args, &o, option_table, NULL) && !fuse_parse_cmdline(&args, &cmd))
		ret = run(&args, &o, &cmd);
	free(o.machine);
	free(o.backing);
	free(cmd.mountpoint);
	fuse_opt_free_args(&args);
	return ret;
}
