/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/options.h"

#include "main/mount.h"

#include <errno.h>
#include <pagerig/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

enum { KEY_SWAP };
#define STRING(text, field)                                                                        \
	{                                                                                          \
		text, offsetof(struct options, field), 0                                           \
	}
#define FLAG(text, field)                                                                          \
	{                                                                                          \
		text, offsetof(struct options, field), 1                                           \
	}
static const struct fuse_opt option_table[] = {
	/* "--machine %s" takes "--machine=…" for an attached value too: the later entry mends it */
	STRING("--machine %s", machine),
	STRING("--machine=%s", machine),
	STRING("machine=%s", machine),
	STRING("--backing %s", backing),
	STRING("--backing=%s", backing),
	STRING("backing=%s", backing),
	FUSE_OPT_KEY("--swap ", KEY_SWAP),
	FUSE_OPT_KEY("--swap=", KEY_SWAP),
	FUSE_OPT_KEY("swap=", KEY_SWAP),
	FLAG("-h", help),
	FLAG("--help", help),
	FLAG("-V", version),
	FLAG("--version", version),
	FLAG("-f", foreground),
	FLAG("-s", single),
	FLAG("-d", debug),
	FLAG("--debug", debug),
	FLAG("debug", debug),
	FUSE_OPT_KEY("-d", FUSE_OPT_KEY_KEEP),
	FUSE_OPT_KEY("--debug", FUSE_OPT_KEY_KEEP),
	FUSE_OPT_KEY("debug", FUSE_OPT_KEY_KEEP),
	FUSE_OPT_END,
};

/* Every word that may be written, with '=' where a value follows; the second half is libfuse's. */
static const char *const known[] = {
	"--machine",	"--machine=",  "machine=",   "--backing",    "--backing=",
	"--swap",	"--swap=",     "swap=",
	"backing=",	"-h",	       "--help",     "-V",	     "--version",
	"-f",		"-s",	       "-d",	     "--debug",	     "debug",
	"-o",		"allow_other", "allow_root", "auto_unmount", "default_permissions",
	"fsname=",	"subtype=",    "max_read=",  "ro",	     "rw",
	"suid",		"nosuid",      "dev",	     "nodev",	     "exec",
	"noexec",	"async",       "sync",	     "dirsync",	     "atime",
	"noatime",	"nodiratime",  "context=",   "fscontext=",   "defcontext=",
	"rootcontext=",
};

static bool is_known(const char *word, size_t len)
{
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == len && !strncmp(known[i], word, len))
			return true;
	return false;
}

static int check_option(const char *arg)
{
	size_t name = strcspn(arg, "=");
	struct pr_near near = {.word = arg, .len = name + (arg[name] == '=')};

	if (is_known(arg, near.len))
		return 1;
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		pr_near_try(&near, known[i]);
	fprintf(stderr, "pagerig: unknown option '%s'; the nearest is %s\n", arg, near.name);
	return -1;
}

/* One of several: "--swap" comes here with its value behind it. */
static int keep_swap(struct options *o, const char *arg)
{
	const char *value = strncmp(arg, "--swap", 6) ? arg + 5 : arg + 6;

	value += *value == '=';
	if (o->nr_swaps == sizeof(o->swap) / sizeof(o->swap[0])) {
		fprintf(stderr, "pagerig: --swap: eight areas at most\n");
		return -1;
	}
	o->swap[o->nr_swaps] = strdup(value);
	return o->swap[o->nr_swaps++] ? 0 : -1;
}

/* What the table does not take: 1 keeps it for libfuse, 0 drops it, -1 ends. */
static int other_argument(void *data, const char *arg, int key, struct fuse_args *)
{
	struct options *o = data;

	if (key == KEY_SWAP)
		return keep_swap(o, arg);
	if (key == FUSE_OPT_KEY_OPT)
		return check_option(arg);
	if (key != FUSE_OPT_KEY_NONOPT)
		return 1;
	if (o->mountpoint) {
		fprintf(stderr, "pagerig: one mount point, please: '%s' is a second one\n", arg);
		return -1;
	}
	o->mountpoint = strdup(arg);
	return o->mountpoint ? 0 : -1;
}

int options_parse(struct fuse_args *args, struct options *o)
{
	char *path;

	if (fuse_opt_parse(args, o, option_table, other_argument))
		return -1;
	if (o->help || o->version)
		return 0;
	if (!o->mountpoint) {
		fprintf(stderr, "pagerig: where to? usage: %s [options] MOUNTPOINT\n",
			args->argv[0]);
		return -1;
	}
	path = mount_point_check(o->mountpoint);
	free(o->mountpoint);
	o->mountpoint = path;
	return path ? 0 : -1;
}

void options_free(struct options *o)
{
	free(o->machine);
	free(o->backing);
	for (unsigned i = 0; i < o->nr_swaps; i++)
		free(o->swap[i]);
	free(o->mountpoint);
}

void options_help(const char *program)
{
	printf("usage: %s [options] MOUNTPOINT\n\n"
	       "    --machine SHAPE        64M, 1G, 2x4G, 4x64G,cpus=8,movable=25%%,distance=10:21:… (default 1G)\n"
	       "    --machine host         this machine, as its /proc tells\n"
	       "    --machine FOLDER       a machine from copies of /proc's zoneinfo, buddyinfo and\n"
	       "                           pagetypeinfo (and of sys/vm in sys_vm/)\n"
	       "    -o machine=WORD        the same, with ':' for the commas\n"
	       "    --backing SIZE         host memory for shm/ (default: half of what is free)\n"
	       "    --swap SIZE[:FILE][,pri=N]  a swap area for shm/, up to eight; without FILE in /var/tmp\n"
	       "    -f                     stay in the foreground\n"
	       "    -d                     the same, and print every request\n"
	       "    -s                     one request thread\n"
	       "    -h, -V                 this text; the version\n"
	       "    -o OPTION[,OPTION]…    mount options, such as:\n",
	       program);
	fuse_lowlevel_help();
	printf("\nfusermount3 -u MOUNTPOINT ends it.\n");
}

int options_size(const char *text, uint64_t *bytes)
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
	errno = 0;
	*bytes = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (errno || *text < '0' || *text > '9' || (*end && (!unit || end[1])))
		return -EINVAL;
	if (unit && *bytes > UINT64_MAX >> (10 * (unit - units + 1)))
		return -EINVAL;
	if (unit)
		*bytes <<= 10 * (unit - units + 1);
	return *bytes >= PR_PAGE_SIZE ? 0 : -EINVAL;
}
