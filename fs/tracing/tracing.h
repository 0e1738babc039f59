/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracing: the engine's events in tracefs's layout. Files here take no rig.lock: the ring has its
 * own, and the switches have one more, tracing_lock, outside the ring's.
 *
 * Readers of trace_pipe that find nothing are parked; the one thread of this room answers them, and
 * wakes those that poll (R10). The engine only posts a semaphore.
 */
#ifndef TRACING_H
#define TRACING_H

#include "tree/tree.h"

#include <pagerig/trace.h>
#include <sys/types.h>

/* Before the mount serves: gives the machine its ring. 0 or -ENOMEM. */
int tracing_init(void);
/* The thread; 0 or -errno. And its end: parked readers get the end of the file. */
int tracing_start(void);
void tracing_stop(void);
void tracing_exit(void);
/* Calls change under tracing_lock, or reads. */
extern struct pr_trace tracing_trace;
extern pthread_mutex_t tracing_lock;

/* Who did it, for the text: remembers a task's name; call before what it does is traced. */
void tracing_note_task(pid_t pid);
void tracing_name_task(pid_t pid, const char *comm);
/* "cat", or "<...>" if it is not known any more. */
const char *tracing_comm(pid_t pid, char comm[16]);

/* --- pipe.c: trace_pipe --- */
struct fuse_req;
struct fuse_pollhandle;
/* One open trace_pipe. */
struct pipe_reader {
	char *rest; /* text that did not fit */
	size_t rest_len, rest_size;
	bool had_some;
};
void pipe_read(struct fuse_req *req, struct pipe_reader *r, size_t size, bool nonblock);
/* POLLIN if there is something; else ph is kept and notified. Takes ph. */
unsigned pipe_poll(struct fuse_pollhandle *ph);
void pipe_close(struct pipe_reader *r);
/* Something may be there: the thread shall look. From anywhere. */
void tracing_wake(void);

/* --- files, for the table --- */
typedef int show_fn(const struct place *at, FILE *to);
typedef int store_fn(const struct place *at, char *line, FILE *reply, char *why);
show_fn tracing_on_show, buffer_size_show, buffer_total_show, set_event_show, available_events,
	current_tracer, events_enable_show, system_enable_show, event_enable_show, event_format,
	event_filter_show, event_id, system_filter_show, saved_cmdlines, cpu_stats;
store_fn tracing_on_store, buffer_size_store, set_event_store, events_enable_store,
	system_enable_store, event_enable_store, event_filter_store, system_filter_store,
	trace_clear, current_tracer_store;
int trace_more(const struct place *at, void **state, FILE *to);
void trace_truncate(const struct place *at);
void set_event_truncate(const struct place *at);

/* i-th system, NULL behind the last. */
const char *tracing_system(unsigned i);

#endif
