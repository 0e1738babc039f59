/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buffer.c: the ring, its size, its text, and the names of tasks. */
#include "tracing/tracing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DEFAULT_KB = 1408, MAX_KB = 1 << 20, PIECE = 256, COMMS = 1024, COMM_LEN = 16 };

struct pr_trace tracing_trace;
pthread_mutex_t tracing_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long size_kb = DEFAULT_KB;

static uint64_t host_now(void *)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t host_task(void *)
{
	return (uint32_t)rig_caller.pid;
}

static void host_traced(void *)
{
	tracing_wake();
}

/* Bytes of the one ring: what all CPUs' buffers have together. */
static size_t ring_bytes(unsigned long kb)
{
	size_t bytes = (size_t)kb * 1024 * rig.m.arena->nr_cpus;

	return bytes < sizeof(struct pr_trace_record) ? sizeof(struct pr_trace_record) : bytes;
}

int tracing_init(void)
{
	void *ring = malloc(ring_bytes(size_kb));

	if (!ring)
		return -ENOMEM;
	pr_trace_init(&tracing_trace, ring, ring_bytes(size_kb));
	tracing_trace.on = true; /* as after boot: on, and no event enabled */
	rig.m.host.now = host_now;
	rig.m.host.task = host_task;
	rig.m.host.traced = host_traced;
	pr_trace_attach(&rig.m, &tracing_trace);
	return 0;
}

void tracing_exit(void)
{
	pr_trace_attach(&rig.m, NULL);
	free(tracing_trace.ring);
}

int buffer_size_show(const struct place *, FILE *to)
{
	fprintf(to, "%lu\n", size_kb);
	return 0;
}

int buffer_total_show(const struct place *, FILE *to)
{
	fprintf(to, "%lu\n", size_kb * rig.m.arena->nr_cpus);
	return 0;
}

int buffer_size_store(const struct place *, char *line, FILE *, char *why)
{
	char *end;
	unsigned long kb = strtoul(line, &end, 10);
	void *ring;

	if (end == line || *end || *line < '0' || *line > '9' || !kb || kb > MAX_KB) {
		snprintf(why, WHY_SIZE, "'%.64s' is not a number of kB from 1 to %d", line, MAX_KB);
		return -EINVAL;
	}
	ring = malloc(ring_bytes(kb));
	if (!ring) {
		snprintf(why, WHY_SIZE, "the host has no memory for %lu kB a CPU", kb);
		return -ENOMEM;
	}
	pthread_mutex_lock(&tracing_lock);
	ring = pr_trace_resize(&tracing_trace, ring, ring_bytes(kb));
	size_kb = kb;
	pthread_mutex_unlock(&tracing_lock);
	free(ring);
	return 0;
}

int trace_clear(const struct place *, char *, FILE *, char *)
{
	pr_trace_clear(&tracing_trace);
	return 0;
}

void trace_truncate(const struct place *)
{
	pr_trace_clear(&tracing_trace);
}

static void print_head(FILE *to)
{
	uint64_t kept, all;

	pr_trace_count(&tracing_trace, &kept, &all);
	fprintf(to, "# tracer: nop\n#\n# entries-in-buffer/entries-written: %llu/%llu   #P:%u\n#\n",
		(unsigned long long)kept, (unsigned long long)all, rig.m.arena->nr_cpus);
	fputs("#                                _-----=> irqs-off/BH-disabled\n"
	      "#                               / _----=> need-resched\n"
	      "#                              | / _---=> hardirq/softirq\n"
	      "#                              || / _--=> preempt-depth\n"
	      "#                              ||| / _-=> migrate-disable\n"
	      "#                              |||| /     delay\n"
	      "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
	      "#              | |         |   |||||     |         |\n", to);
}

/* What is in the ring and was not consumed, oldest first; it stays there. */
int trace_more(const struct place *, void **state, FILE *to)
{
	struct pr_trace_record r[PIECE];
	uint64_t *pos = *state, lost;
	char line[1024], comm[COMM_LEN];
	unsigned n;

	if (!pos) {
		pos = *state = malloc(sizeof(*pos));
		if (!pos)
			return -ENOMEM;
		*pos = pr_trace_tail(&tracing_trace);
		print_head(to);
	}
	n = pr_trace_read(&tracing_trace, pos, r, PIECE, false, false, &lost);
	for (unsigned i = 0; i < n; i++) {
		pr_trace_line(&r[i], tracing_comm((pid_t)r[i].task, comm), line, sizeof(line));
		fputs(line, to);
	}
	return n == PIECE;
}

/* --- names of tasks, as saved_cmdlines keeps them --- */
static struct {
	pid_t pid;
	char comm[COMM_LEN];
} comms[COMMS];
static pthread_mutex_t comms_lock = PTHREAD_MUTEX_INITIALIZER;

void tracing_name_task(pid_t pid, const char *comm)
{
	pthread_mutex_lock(&comms_lock);
	comms[pid % COMMS].pid = pid;
	snprintf(comms[pid % COMMS].comm, COMM_LEN, "%s", comm);
	pthread_mutex_unlock(&comms_lock);
}

void tracing_note_task(pid_t pid)
{
	char path[64], comm[COMM_LEN + 1] = "";
	bool known;
	FILE *f;

	if (pid <= 0 || !__atomic_load_n(&rig.m.arena->trace_mask, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&comms_lock);
	known = comms[pid % COMMS].pid == pid;
	pthread_mutex_unlock(&comms_lock);
	if (known)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(comm, sizeof(comm), f)) {
		comm[strcspn(comm, "\n")] = 0;
		tracing_name_task(pid, comm);
	}
	fclose(f);
}

const char *tracing_comm(pid_t pid, char comm[COMM_LEN])
{
	strcpy(comm, pid ? "<...>" : "<idle>");
	pthread_mutex_lock(&comms_lock);
	if (pid && comms[pid % COMMS].pid == pid)
		memcpy(comm, comms[pid % COMMS].comm, COMM_LEN);
	pthread_mutex_unlock(&comms_lock);
	return comm;
}

int saved_cmdlines(const struct place *, FILE *to)
{
	pthread_mutex_lock(&comms_lock);
	for (unsigned i = 0; i < COMMS; i++)
		if (comms[i].pid)
			fprintf(to, "%d %s\n", comms[i].pid, comms[i].comm);
	pthread_mutex_unlock(&comms_lock);
	return 0;
}

int cpu_stats(const struct place *at, FILE *to)
{
	const struct pr_trace *t = &tracing_trace;

	fprintf(to, "entries: %llu\noverrun: %llu\ncommit overrun: 0\nbytes: %llu\n"
		    "dropped events: 0\nread events: %llu\n",
		(unsigned long long)(t->cpu_written[at->cpu] - t->cpu_lost[at->cpu] -
				     t->cpu_read[at->cpu]),
		(unsigned long long)t->cpu_lost[at->cpu],
		(unsigned long long)((t->cpu_written[at->cpu] - t->cpu_lost[at->cpu] -
				      t->cpu_read[at->cpu]) * sizeof(struct pr_trace_record)),
		(unsigned long long)t->cpu_read[at->cpu]);
	return 0;
}
