/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace_print.c: records as text, and the description of events: all out of the one table. */
#include <pagerig/trace.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TF(type, name)                                                                             \
	{#name, #type, (uint16_t)offsetof(record, name), sizeof(type), (type)-1 < (type)1},
#define E(sys, name, text, fields)                                                                 \
	static const struct pr_trace_field *fields_##name(void)                                    \
	{                                                                                          \
		typedef struct trace_##name record;                                                \
		static const struct pr_trace_field f[] = {fields{NULL}};                           \
		return f;                                                                          \
	}
PR_TRACE_EVENTS(E)
#undef E
#undef TF

static const struct event {
	const char *sys, *name, *text;
	const struct pr_trace_field *(*fields)(void);
} events[NR_TRACE_EVENTS] = {
#define E(sys, name, text, fields) {#sys, #name, text, fields_##name},
	PR_TRACE_EVENTS(E)
#undef E
};

const char *pr_trace_name(unsigned event)
{
	return event < NR_TRACE_EVENTS ? events[event].name : NULL;
}

const char *pr_trace_system(unsigned event)
{
	return event < NR_TRACE_EVENTS ? events[event].sys : NULL;
}

int pr_trace_find(const char *sys, const char *name)
{
	for (int e = 0; e < NR_TRACE_EVENTS; e++)
		if (!strcmp(events[e].name, name) && (!sys || !strcmp(events[e].sys, sys)))
			return e;
	return -1;
}

const struct pr_trace_field *pr_trace_fields(unsigned event)
{
	return event < NR_TRACE_EVENTS ? events[event].fields() : NULL;
}

int64_t pr_trace_value(const struct pr_trace_record *r, const struct pr_trace_field *f)
{
	const char *at = (const char *)r->data + f->offset;
	uint64_t n = 0;
	unsigned unused = 64 - 8u * f->size;

	memcpy(&n, at, f->size); /* little-endian, as x86-64 is */
	return f->is_signed ? (int64_t)(n << unused) >> unused : (int64_t)n;
}

struct out {
	char *buf;
	size_t size;
	int len;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *o, const char *fmt, ...)
{
	size_t left = (size_t)o->len < o->size ? o->size - (size_t)o->len : 0;
	va_list ap;

	va_start(ap, fmt);
	o->len += vsnprintf(left ? o->buf + o->len : NULL, left, fmt, ap);
	va_end(ap);
}

/* --- conversions --- */
static void put_number(struct out *o, int64_t n)
{
	put(o, "%lld", (long long)n);
}

static void put_hex(struct out *o, int64_t n)
{
	put(o, "0x%llx", (unsigned long long)n);
}

static void put_pfn(struct out *o, int64_t n)
{
	put_hex(o, n == -1 ? 0 : n);
}

/* Where the kernel's memory map of x86-64 has the frame's struct page, 64 bytes each. */
static void put_page(struct out *o, int64_t n)
{
	put(o, "%016llx", n == -1 ? 0ull : 0xffffea0000000000ull + (unsigned long long)n * 64);
}

static void put_gfp(struct out *o, int64_t n)
{
	char text[256];

	pr_gfp_print((gfp_t)n, text, sizeof(text));
	put(o, "%s", n ? text : "none");
}

static void put_below_block(struct out *o, int64_t n)
{
	put(o, "%d", n < PAGEBLOCK_ORDER);
}

static void put_shift(struct out *o, int64_t n)
{
	put(o, "%llu", 1ull << (n & 63));
}

/* A name by number, or the number where there is none. */
static void put_symbol(struct out *o, int64_t n, const char *const *name, int64_t nr)
{
	if (n >= 0 && n < nr)
		put(o, "%s", name[n]);
	else
		put_hex(o, n);
}

static void put_flags(struct out *o, int64_t n, const char *const *name, int nr, const char *none)
{
	const char *bar = "";

	for (int i = 0; i < nr; i++)
		if (n >> i & 1 && name[i]) {
			put(o, "%s%s", bar, name[i]);
			bar = "|";
		}
	if (!n)
		put(o, "%s", none);
}

#define SYMBOLS(function, ...)                                                                     \
	static void function(struct out *o, int64_t n)                                             \
	{                                                                                          \
		static const char *const name[] = {__VA_ARGS__};                                   \
		put_symbol(o, n, name, (int64_t)(sizeof(name) / sizeof(name[0])));                 \
	}
SYMBOLS(put_lru, "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable")
SYMBOLS(put_compact, "skipped", "deferred", "no_suitable_page", "continue",
	"complete", "partial_skipped", "contended", "success")
SYMBOLS(put_feedback, "none", "failed", "withdrawn", "progress")
SYMBOLS(put_compact_prio, "COMPACT_PRIO_SYNC_FULL", "COMPACT_PRIO_SYNC_LIGHT", "COMPACT_PRIO_ASYNC")
SYMBOLS(put_migrate_mode, "MIGRATE_ASYNC", "MIGRATE_SYNC_LIGHT", "MIGRATE_SYNC")
SYMBOLS(put_migrate_reason, "compaction", "memory_failure", "memory_hotplug", "syscall_or_cpuset",
	"mempolicy_mbind", "numa_misplaced", "contig_range", "longterm_pin", "demotion", "damon")
SYMBOLS(put_sync, "async", "sync")
SYMBOLS(put_zone, "DMA     ", "DMA32   ", "Normal  ", "Movable ")
SYMBOLS(put_shrinker, "shadow_nodes", "host")

static void put_wb(struct out *o, int64_t n)
{
	static const char *const name[] = {"RECLAIM_WB_ANON", "RECLAIM_WB_FILE", "RECLAIM_WB_SYNC",
					   "RECLAIM_WB_ASYNC", "RECLAIM_WB_MIXED"};

	put_flags(o, n, name, 5, "RECLAIM_WB_NONE");
}

static void put_throttle(struct out *o, int64_t n)
{
	static const char *const name[] = {"VMSCAN_THROTTLE_WRITEBACK", "VMSCAN_THROTTLE_ISOLATED",
					   "VMSCAN_THROTTLE_NOPROGRESS",
					   "VMSCAN_THROTTLE_CONGESTED"};

	put_flags(o, n, name, 4, "VMSCAN_THROTTLE_NONE");
}

/* as_c: what stands for it in a format file, the field in place of %s */
static const struct conversion {
	const char *name;
	void (*put)(struct out *o, int64_t n);
	const char *spec, *as_c;
} conversions[] = {
	{"d", put_number, "%lld", "(long long)REC->%s"},
	{"x", put_hex, "0x%lx", "REC->%s"},
	{"pfn", put_pfn, "0x%lx", "REC->%s != -1UL ? REC->%s : 0"},
	{"page", put_page, "%p", "REC->%s != -1UL ? 0xffffea0000000000UL + REC->%s * 64 : 0"},
	{"gfp", put_gfp, "0x%x", "REC->%s"},
	{"below_block", put_below_block, "%d", "REC->%s < 9"},
	{"shift", put_shift, "%lu", "1UL << REC->%s"},
	{"lru", put_lru, "%s",
	 "__print_symbolic(REC->%s, {0, \"inactive_anon\"}, {1, \"active_anon\"}, "
	 "{2, \"inactive_file\"}, {3, \"active_file\"}, {4, \"unevictable\"})"},
	{"compact", put_compact, "%s",
	 "__print_symbolic(REC->%s, {0, \"skipped\"}, {1, \"deferred\"}, "
	 "{2, \"no_suitable_page\"}, {3, \"continue\"}, {4, \"complete\"}, "
	 "{5, \"partial_skipped\"}, {6, \"contended\"}, {7, \"success\"})"},
	{"feedback", put_feedback, "%s",
	 "__print_symbolic(REC->%s, {1, \"failed\"}, {2, \"withdrawn\"}, {3, \"progress\"})"},
	{"compact_prio", put_compact_prio, "%s",
	 "__print_symbolic(REC->%s, {0, \"COMPACT_PRIO_SYNC_FULL\"}, "
	 "{1, \"COMPACT_PRIO_SYNC_LIGHT\"}, {2, \"COMPACT_PRIO_ASYNC\"})"},
	{"migrate_mode", put_migrate_mode, "%s",
	 "__print_symbolic(REC->%s, {0, \"MIGRATE_ASYNC\"}, {1, \"MIGRATE_SYNC_LIGHT\"}, "
	 "{2, \"MIGRATE_SYNC\"})"},
	{"migrate_reason", put_migrate_reason, "%s",
	 "__print_symbolic(REC->%s, {0, \"compaction\"}, {1, \"memory_failure\"}, "
	 "{2, \"memory_hotplug\"}, {3, \"syscall_or_cpuset\"}, {4, \"mempolicy_mbind\"}, "
	 "{5, \"numa_misplaced\"}, {6, \"contig_range\"}, {7, \"longterm_pin\"}, "
	 "{8, \"demotion\"}, {9, \"damon\"})"},
	{"sync", put_sync, "%s", "REC->%s ? \"sync\" : \"async\""},
	{"zone", put_zone, "%-8s",
	 "__print_symbolic(REC->%s, {0, \"DMA\"}, {1, \"DMA32\"}, {2, \"Normal\"}, "
	 "{3, \"Movable\"})"},
	{"shrinker", put_shrinker, "%s",
	 "__print_symbolic(REC->%s, {0, \"shadow_nodes\"}, {1, \"host\"})"},
	{"wb", put_wb, "%s",
	 "REC->%s ? __print_flags(REC->%s, \"|\", {1, \"RECLAIM_WB_ANON\"}, "
	 "{2, \"RECLAIM_WB_FILE\"}, {16, \"RECLAIM_WB_MIXED\"}, {4, \"RECLAIM_WB_SYNC\"}, "
	 "{8, \"RECLAIM_WB_ASYNC\"}) : \"RECLAIM_WB_NONE\""},
	{"throttle", put_throttle, "%s",
	 "REC->%s ? __print_flags(REC->%s, \"|\", {1, \"VMSCAN_THROTTLE_WRITEBACK\"}, "
	 "{2, \"VMSCAN_THROTTLE_ISOLATED\"}, {4, \"VMSCAN_THROTTLE_NOPROGRESS\"}, "
	 "{8, \"VMSCAN_THROTTLE_CONGESTED\"}) : \"VMSCAN_THROTTLE_NONE\""},
};

/* "{conversion:field}" at p; what it names, and where it ends. */
static const struct conversion *conversion_at(const char *p, const struct pr_trace_field *fields,
					      const struct pr_trace_field **f, const char **end)
{
	const char *colon = strchr(p, ':');

	*end = strchr(p, '}') + 1;
	for (*f = fields; (*f)->name; (*f)++)
		if (strlen((*f)->name) == (size_t)(*end - colon - 2) &&
		    !memcmp((*f)->name, colon + 1, strlen((*f)->name)))
			break;
	for (unsigned i = 0; i < sizeof(conversions) / sizeof(conversions[0]); i++)
		if (strlen(conversions[i].name) == (size_t)(colon - p - 1) &&
		    !memcmp(conversions[i].name, p + 1, strlen(conversions[i].name)) && (*f)->name)
			return &conversions[i];
	return NULL;
}

int pr_trace_print(const struct pr_trace_record *r, char *buf, size_t size)
{
	const struct event *e = &events[r->event < NR_TRACE_EVENTS ? r->event : 0];
	struct out o = {buf, size, 0};
	const char *p = e->text;

	put(&o, "%s: ", e->name);
	while (*p) {
		const struct conversion *c;
		const struct pr_trace_field *f;
		int n = (int)strcspn(p, "{");

		put(&o, "%.*s", n, p);
		p += n;
		if (!*p)
			break;
		c = conversion_at(p, e->fields(), &f, &p);
		if (c)
			c->put(&o, pr_trace_value(r, f));
	}
	return o.len;
}

int pr_trace_line(const struct pr_trace_record *r, const char *comm, char *buf, size_t size)
{
	enum { NS_PER_SECOND = 1000000000, NS_PER_USEC = 1000 };
	struct out o = {buf, size, 0};

	put(&o, "%16s-%-7u [%03u] ..... %5llu.%06llu: ", comm, r->task, r->cpu,
	    (unsigned long long)(r->time / NS_PER_SECOND),
	    (unsigned long long)(r->time % NS_PER_SECOND / NS_PER_USEC));
	o.len += pr_trace_print(r, (size_t)o.len < size ? buf + o.len : NULL,
				(size_t)o.len < size ? size - (size_t)o.len : 0);
	put(&o, "\n");
	return o.len;
}

static void put_c(struct out *o, const char *as_c, const char *field)
{
	const char *p;

	while ((p = strstr(as_c, "%s"))) {
		put(o, "%.*s%s", (int)(p - as_c), as_c, field);
		as_c = p + 2;
	}
	put(o, "%s", as_c);
}

static void put_print_fmt(struct out *o, const struct event *e)
{
	const struct pr_trace_field *f;
	const struct conversion *c;
	const char *p;

	put(o, "\nprint fmt: \"");
	for (p = e->text; *p;) {
		int n = (int)strcspn(p, "{");

		put(o, "%.*s", n, p);
		p += n;
		if (*p && (c = conversion_at(p, e->fields(), &f, &p)))
			put(o, "%s", c->spec);
	}
	put(o, "\"");
	for (p = e->text; (p = strchr(p, '{'));) {
		c = conversion_at(p, e->fields(), &f, &p);
		put(o, ", ");
		if (c)
			put_c(o, c->as_c, f->name);
	}
	put(o, "\n");
}

int pr_trace_format(unsigned event, char *buf, size_t size)
{
	enum { COMMON = 8 };
	struct out o = {buf, size, 0};

	if (event >= NR_TRACE_EVENTS)
		return 0;
	put(&o, "name: %s\nID: %u\nformat:\n", events[event].name, event + 1);
	put(&o, "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
		"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n");
	for (const struct pr_trace_field *f = events[event].fields(); f->name; f++)
		put(&o, "\tfield:%s %s;\toffset:%u;\tsize:%u;\tsigned:%d;\n", f->type, f->name,
		    COMMON + f->offset, f->size, f->is_signed);
	put_print_fmt(&o, &events[event]);
	return o.len;
}
