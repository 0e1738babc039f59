/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.c: the ring of records. Writers and readers take its lock for the length of a copy; nothing
 * is slower than that while tracing is on, and while it is off nobody comes here.
 */
#include <pagerig/trace.h>

#include <string.h>

static void lock(struct pr_trace *t)
{
	while (__atomic_exchange_n(&t->locked, true, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&t->locked, __ATOMIC_RELAXED))
			__builtin_ia32_pause();
}

static void unlock(struct pr_trace *t)
{
	__atomic_store_n(&t->locked, false, __ATOMIC_RELEASE);
}

void pr_trace_init(struct pr_trace *t, void *ring, size_t bytes)
{
	memset(t, 0, sizeof(*t));
	t->ring = ring;
	t->size = bytes / sizeof(*t->ring);
}

static void set_mask(struct pr_machine *m)
{
	uint64_t mask = m->trace && m->trace->on ? m->trace->enabled : 0;

	__atomic_store_n(&m->arena->trace_mask, mask, __ATOMIC_RELAXED);
}

void pr_trace_attach(struct pr_machine *m, struct pr_trace *t)
{
	m->trace = t;
	set_mask(m);
}

void pr_trace_switch(struct pr_machine *m, bool on, uint64_t enabled)
{
	if (!m->trace)
		return;
	lock(m->trace);
	m->trace->on = on;
	m->trace->enabled = enabled;
	unlock(m->trace);
	set_mask(m);
}

/* First record that is still in the ring. */
static uint64_t oldest(const struct pr_trace *t)
{
	return t->head - t->base > t->size ? t->head - t->size : t->base;
}

void *pr_trace_resize(struct pr_trace *t, void *ring, size_t bytes)
{
	struct pr_trace_record *to = ring, *old;
	uint64_t size = bytes / sizeof(*to), first;

	lock(t);
	old = t->ring;
	first = oldest(t);
	if (t->head - first > size)
		first = t->head - size;
	if (t->tail < first)
		t->tail = first;
	for (uint64_t i = first; i < t->head; i++)
		to[i % size] = old[i % t->size];
	t->ring = to;
	t->size = size;
	unlock(t);
	return old;
}

void pr_trace_clear(struct pr_trace *t)
{
	lock(t);
	t->base = t->tail = t->head;
	t->overrun = 0;
	memset(t->cpu_written, 0, sizeof(t->cpu_written));
	memset(t->cpu_lost, 0, sizeof(t->cpu_lost));
	memset(t->cpu_read, 0, sizeof(t->cpu_read));
	unlock(t);
}

void pr_trace_put(struct pr_machine *m, unsigned cpu, enum pr_trace_id event, const void *data,
		  size_t size)
{
	const struct pr_host *h = &m->host;
	struct pr_trace *t = m->trace;
	struct pr_trace_record r = {.event = (uint16_t)event, .cpu = (uint16_t)cpu};
	bool wake = false;

	if (!t)
		return;
	r.task = h->task ? h->task(h->ctx) : 0;
	memcpy(r.data, data, size);
	lock(t);
	if (!t->filter[event].nr || pr_trace_filter_match(&t->filter[event], &r)) {
		r.time = h->now ? h->now(h->ctx) : t->head * 1000;
		if (t->head - t->tail >= t->size) {
			t->cpu_lost[t->ring[t->tail++ % t->size].cpu]++;
			t->overrun++;
		}
		t->cpu_written[cpu]++;
		t->ring[t->head++ % t->size] = r;
		wake = t->waiting;
		t->waiting = false;
	}
	unlock(t);
	if (wake && h->traced)
		h->traced(h->ctx);
}

unsigned pr_trace_read(struct pr_trace *t, uint64_t *pos, struct pr_trace_record *to, unsigned max,
		       bool consume, bool wait, uint64_t *lost)
{
	unsigned n;

	lock(t);
	if (*pos < t->base)
		*pos = t->base;
	*lost = 0;
	if (*pos < oldest(t)) {
		*lost = oldest(t) - *pos;
		*pos = oldest(t);
	}
	if (consume && *pos < t->tail)
		*pos = t->tail;
	for (n = 0; n < max && *pos < t->head; n++) {
		to[n] = t->ring[(*pos)++ % t->size];
		if (consume)
			t->cpu_read[to[n].cpu]++;
	}
	if (consume && *pos > t->tail)
		t->tail = *pos;
	if (wait && !n)
		t->waiting = true;
	unlock(t);
	return n;
}

void pr_trace_count(struct pr_trace *t, uint64_t *kept, uint64_t *written)
{
	lock(t);
	*kept = t->head - t->tail;
	*written = t->head - t->base;
	unlock(t);
}

uint64_t pr_trace_tail(struct pr_trace *t)
{
	uint64_t tail;

	lock(t);
	tail = t->tail;
	unlock(t);
	return tail;
}
