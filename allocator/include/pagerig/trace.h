/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.h: what happened, as records of fixed size in a ring that the host supplies. An event that
 * is off costs one predictable branch on a mask in the arena.
 *
 * The ring has a lock of its own, a leaf below all locks of the engine; when it is full the oldest
 * record is overwritten and counted as lost. Ring, filters and switches are the host's and no part
 * of the machine's state or digest.
 */
#ifndef PAGERIG_TRACE_H
#define PAGERIG_TRACE_H

#include <pagerig/machine.h>
#include <pagerig/trace_events.h>

enum pr_trace_id {
#define E(sys, name, text, fields) TRACE_##name,
	PR_TRACE_EVENTS(E)
#undef E
		NR_TRACE_EVENTS
};
_Static_assert(NR_TRACE_EVENTS <= 64, "one bit an event in the arena's mask");

/* struct trace_mm_page_alloc and so on */
#define TF(type, name) type name;
#define E(sys, name, text, fields)                                                                 \
	struct trace_##name {                                                                      \
		fields                                                                             \
	};
PR_TRACE_EVENTS(E)
#undef E
#undef TF

enum { PR_TRACE_DATA = 64 };
struct pr_trace_record {
	uint64_t time; /* ns */
	uint32_t task; /* the host's number for who did it */
	uint16_t event, cpu;
	uint64_t data[PR_TRACE_DATA / 8]; /* struct trace_<event> */
};
#define E(sys, name, text, fields)                                                                 \
	_Static_assert(sizeof(struct trace_##name) <= PR_TRACE_DATA, "an event fits its record");
PR_TRACE_EVENTS(E)
#undef E

enum { PR_FILTER_TEXT = 256, PR_FILTER_NODES = 32 };
/* A condition in postfix order; see base/trace_filter.c. */
struct pr_trace_filter {
	char text[PR_FILTER_TEXT]; /* "" for none */
	unsigned nr;
	struct {
		uint8_t op, field;
		int64_t value;
	} node[PR_FILTER_NODES];
};

struct pr_trace {
	struct pr_trace_record *ring;
	uint64_t size;	  /* records */
	uint64_t head;	  /* records written so far */
	uint64_t base;	  /* those before the last clear */
	uint64_t tail;	  /* first that is still to be consumed */
	uint64_t overrun; /* overwritten before they were consumed */
	uint64_t enabled; /* a bit an event */
	bool on;
	bool waiting; /* a reader wants to hear of the next record */
	bool locked;
	uint64_t cpu_written[PR_MAX_CPUS], cpu_lost[PR_MAX_CPUS], cpu_read[PR_MAX_CPUS];
	struct pr_trace_filter filter[NR_TRACE_EVENTS];
};

/* Off, nothing enabled; ring memory is the caller's, of `bytes` bytes (at least one record). */
void pr_trace_init(struct pr_trace *t, void *ring, size_t bytes);
/* Gives the machine a trace, or NULL; the mask follows. */
void pr_trace_attach(struct pr_machine *m, struct pr_trace *t);
/* tracing_on and the events that are enabled, of the machine's trace. */
void pr_trace_switch(struct pr_machine *m, bool on, uint64_t enabled);
/* Another ring instead; the newest records that fit come along, the rest is lost. Old memory. */
void *pr_trace_resize(struct pr_trace *t, void *ring, size_t bytes);
void pr_trace_clear(struct pr_trace *t);

/* The writer behind pr_trace(). */
void pr_trace_put(struct pr_machine *m, unsigned cpu, enum pr_trace_id event, const void *data,
		  size_t size);
/*
 * pr_trace(m, cpu, mm_page_free, .pfn = pfn, .order = order): records the event if it is on.
 * Fields that are not named are 0. Any lock of the engine may be held.
 */
#define pr_trace(m, cpu, name, ...)                                                                \
	do {                                                                                       \
		if (__builtin_expect(pr_trace_enabled(m, name), 0))                                \
			pr_trace_put(m, cpu, TRACE_##name, &(struct trace_##name){__VA_ARGS__},    \
				     sizeof(struct trace_##name));                                 \
	} while (0)
#define pr_trace_enabled(m, name)                                                                  \
	((__atomic_load_n(&(m)->arena->trace_mask, __ATOMIC_RELAXED) >> TRACE_##name & 1) != 0)

/*
 * Copies up to max records from *pos on and moves *pos; with consume they leave the ring. *lost
 * is how many between *pos and the first one were overwritten. 0 is the oldest there is. Returns how many; 0 when there are no more, and then, with wait, the host's
 * traced() is called at the next record.
 */
unsigned pr_trace_read(struct pr_trace *t, uint64_t *pos, struct pr_trace_record *to, unsigned max,
		       bool consume, bool wait, uint64_t *lost);

/* Records that are in the ring and not consumed; and all since the last clear. */
void pr_trace_count(struct pr_trace *t, uint64_t *kept, uint64_t *written);
/* The first record that is not consumed. */
uint64_t pr_trace_tail(struct pr_trace *t);

/* Names: event by number; number by names (sys may be NULL: any), -1 if there is none. */
const char *pr_trace_name(unsigned event);
const char *pr_trace_system(unsigned event);
int pr_trace_find(const char *sys, const char *name);
/* "mm_page_free: page=… pfn=0x10 order=0", no newline; the length, as snprintf. */
int pr_trace_print(const struct pr_trace_record *r, char *buf, size_t size);
/* The same behind the columns of tracefs, with a newline: task and number, CPU, flags, time. */
int pr_trace_line(const struct pr_trace_record *r, const char *comm, char *buf, size_t size);
/* The text of events/<sys>/<event>/format. */
int pr_trace_format(unsigned event, char *buf, size_t size);

/*
 * "order > 3 && (gfp_flags & 0x20 || migratetype != 1)", "0" or "" for none. Fields are the
 * event's, common_pid and cpu. -EINVAL with a sentence in why; the old one stays.
 */
int pr_trace_filter_set(struct pr_trace *t, unsigned event, const char *text, char *why,
			size_t size);
bool pr_trace_filter_match(const struct pr_trace_filter *f, const struct pr_trace_record *r);

/* One field of an event: name, type, place in the data. NULL behind the last. */
struct pr_trace_field {
	const char *name, *type;
	uint16_t offset;
	uint8_t size;
	bool is_signed;
};
const struct pr_trace_field *pr_trace_fields(unsigned event);
int64_t pr_trace_value(const struct pr_trace_record *r, const struct pr_trace_field *f);

#endif
