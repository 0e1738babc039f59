/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zero-fuse MOUNTPOINT: the least FUSE daemon that can back a mapping: one file, "x", of 1 TiB, whose
 * pages read as zeroes; writes are taken and forgotten. What a fault costs here is FUSE's own share.
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char zeroes[1 << 20];

static void attr_of(fuse_ino_t ino, struct stat *st)
{
	*st = (struct stat){.st_ino = ino, .st_mode = ino == 1 ? S_IFDIR | 0755 : S_IFREG | 0666,
			    .st_nlink = 1, .st_size = ino == 1 ? 0 : 1ll << 40};
}

static void zero_init(void *, struct fuse_conn_info *conn)
{
	conn->max_readahead = 0;
	conn->max_background = 1024;
	conn->want &= ~(unsigned)(FUSE_CAP_ASYNC_READ | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ATOMIC_O_TRUNC);
}

static void zero_lookup(fuse_req_t req, fuse_ino_t, const char *name)
{
	struct fuse_entry_param e = {.ino = 2, .entry_timeout = 1, .attr_timeout = 1};

	attr_of(2, &e.attr);
	if (strcmp(name, "x"))
		fuse_reply_err(req, ENOENT);
	else
		fuse_reply_entry(req, &e);
}

static void zero_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *)
{
	struct stat st;

	attr_of(ino, &st);
	fuse_reply_attr(req, &st, 1);
}

static void zero_open(fuse_req_t req, fuse_ino_t, struct fuse_file_info *fi)
{
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

static void zero_read(fuse_req_t req, fuse_ino_t, size_t size, off_t, struct fuse_file_info *)
{
	fuse_reply_buf(req, zeroes, size);
}

static void zero_write(fuse_req_t req, fuse_ino_t, const char *, size_t size, off_t, struct fuse_file_info *)
{
	fuse_reply_write(req, size);
}

static const struct fuse_lowlevel_ops ops = {
	.init = zero_init, .lookup = zero_lookup, .getattr = zero_getattr, .open = zero_open,
	.read = zero_read, .write = zero_write,
};

int main(int argc, char **argv)
{
	char *args_v[] = {argv[0], "-ofsname=zero-fuse"};
	struct fuse_args args = FUSE_ARGS_INIT(2, args_v);
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct fuse_session *se;
	int ret = 1;

	if (argc != 2)
		return 2;
	fuse_loop_cfg_set_max_threads(config, 4);
	fuse_loop_cfg_set_idle_threads(config, 4);
	se = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (se && !fuse_set_signal_handlers(se) && !fuse_session_mount(se, argv[1])) {
		ret = fuse_session_loop_mt(se, config);
		fuse_session_unmount(se);
	}
	fuse_loop_cfg_destroy(config);
	return ret;
}
