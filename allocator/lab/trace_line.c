/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/trace_line.h"

#include <string.h>

/* Offsets of "%16s-%-7d [%03d] flags seconds.micros: " (kernel/trace/trace_output.c). */
enum { COL_DASH = 16, COL_CPU = 25, COL_TIME_END = 49, COL_NAME = 51, LATENCY_DASH = 8 };

#define WORD(text) text, sizeof(text) - 1

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Inlined: with a length that the compiler knows this is a compare or two, not a call. */
static inline __attribute__((always_inline)) bool starts(const char *p, const char *end,
							 const char *word, size_t len)
{
	return (size_t)(end - p) >= len && !memcmp(p, word, len);
}

static const char *skip_spaces(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

/* A decimal number of at most 9 digits; what is behind it, or NULL. */
static const char *decimal(const char *p, const char *end, uint32_t *n)
{
	const char *start = p;

	for (*n = 0; p < end && is_digit(*p) && p - start < 10; p++)
		*n = *n * 10 + (uint32_t)(*p - '0');
	return p == start || p - start > 9 ? NULL : p;
}

static const char *bracketed_cpu(const char *p, const char *end, uint32_t *cpu)
{
	if (p >= end || *p != '[')
		return NULL;
	p = decimal(p + 1, end, cpu);
	return p && p < end && *p == ']' ? p + 1 : NULL;
}

/* pid, perhaps "(tgid)", and the CPU, which stands without brackets in latency format. */
static const char *cpu_behind_pid(const char *p, const char *end, uint32_t *cpu)
{
	while (p < end && is_digit(*p))
		p++;
	p = skip_spaces(p, end);
	if (p < end && *p == '(') {
		p = memchr(p, ')', (size_t)(end - p));
		if (!p)
			return NULL;
		p = skip_spaces(p + 1, end);
	}
	return p < end && *p == '[' ? bracketed_cpu(p, end, cpu) : decimal(p, end, cpu);
}

/* Other tools: the last number in brackets before the event, as a task may be named "a [1]". */
static const char *last_cpu(const char *line, const char *end, uint32_t *cpu)
{
	const char *event = memmem(line, (size_t)(end - line), WORD("mm_page_")), *last = NULL, *p;
	uint32_t n;

	for (p = line; p < (event ? event : end); p++) {
		const char *behind = bracketed_cpu(p, end, &n);

		if (behind) {
			last = behind;
			*cpu = n;
		}
	}
	return last;
}

static const char *find_cpu(const char *line, const char *end, uint32_t *cpu)
{
	static const unsigned dash[] = {COL_DASH, LATENCY_DASH};

	for (unsigned i = 0; i < 2; i++)
		if (end - line > dash[i] + 1 && line[dash[i]] == '-' &&
		    is_digit(line[dash[i] + 1])) {
			const char *p = cpu_behind_pid(line + dash[i] + 1, end, cpu);

			if (p)
				return p;
		}
	return last_cpu(line, end, cpu);
}

/* From the line's beginning to the event's name; fills in the CPU. NULL if it has no such head. */
static const char *head(const char *line, const char *end, uint32_t *cpu)
{
	const char *p;

	if (end - line > COL_NAME && line[COL_DASH] == '-' && is_digit(line[COL_DASH + 1]) &&
	    line[COL_CPU] == '[' && line[COL_CPU + 4] == ']' && is_digit(line[COL_CPU + 1]) &&
	    is_digit(line[COL_CPU + 2]) && is_digit(line[COL_CPU + 3])) {
		*cpu = (uint32_t)((line[COL_CPU + 1] - '0') * 100 + (line[COL_CPU + 2] - '0') * 10 +
				  line[COL_CPU + 3] - '0');
		/* no colon can come before: the time is at least 12 wide */
		if (line[COL_TIME_END] == ':' && line[COL_TIME_END + 1] == ' ')
			return line + COL_NAME;
		p = line + COL_CPU + 5;
	} else {
		p = find_cpu(line, end, cpu);
	}
	p = p ? memchr(p, ':', (size_t)(end - p)) : NULL;
	if (!p)
		return NULL;
	p = skip_spaces(p + 1, end);
	return starts(p, end, WORD("kmem:")) ? p + 5 : p;
}

/* Behind " key=": at p if it is there, else anywhere in the arguments. NULL if nowhere. */
static inline __attribute__((always_inline)) const char *
value(const char *p, const char *args, const char *end, const char *key, size_t len)
{
	if (starts(p, end, key, len))
		return p + len;
	p = memmem(args, (size_t)(end - args), key, len);
	return p ? p + len : NULL;
}

/*
 * A frame number: hexadecimal with 0x, decimal without as kernels before 5.11 print it. No branch
 * tells digits from letters: they come at random.
 */
static const char *frame_number(const char *p, const char *end, uint64_t *n)
{
	bool hex = starts(p, end, WORD("0x")), bad = false;
	const char *start = p += hex ? 2 : 0;

	for (*n = 0; p < end && *p != ' '; p++) {
		unsigned c = (unsigned char)*p;

		bad |= (c - '0' > 9) & (!hex | ((c | 0x20) - 'a' > 5));
		*n = *n * (hex ? 16 : 10) + (c & 15) + 9 * (c >> 6);
	}
	return bad || p == start || p - start > (hex ? 16 : 19) ? NULL : p;
}

/* Names that Linux has and that decide nothing in the engine; other kernels' numbers too. */
static bool ignored(const char *word, size_t len)
{
	static const char *const names[] = {"__GFP_ZEROTAGS",
					    "__GFP_SKIP_ZERO",
					    "__GFP_SKIP_KASAN",
					    "__GFP_SKIP_KASAN_POISON",
					    "__GFP_SKIP_KASAN_UNPOISON",
					    "__GFP_NOLOCKDEP",
					    "__GFP_NO_OBJ_EXT",
					    "none"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && !memcmp(names[i], word, len))
			return true;
	return len > 2 && !memcmp(word, "0x", 2) && strspn(word + 2, "0123456789abcdef") >= len - 2;
}

static bool gfp_words(const char *text, gfp_t *gfp)
{
	*gfp = 0;
	for (const char *p = text;; p++) {
		size_t len = strcspn(p, "|");
		char word[GFP_TEXT];
		gfp_t bits = 0;

		memcpy(word, p, len);
		word[len] = 0;
		if (pr_gfp_parse(word, &bits, NULL, NULL) && !ignored(word, len))
			return false;
		*gfp |= bits;
		p += len;
		if (!*p)
			return true;
	}
}

/* A trace has a few dozen different ones; two words and the length tell them apart. */
static unsigned gfp_hash(const char *text, size_t len)
{
	uint64_t a = 0, b = 0;

	memcpy(&a, text, len < 8 ? len : 8);
	if (len >= 16) {
		memcpy(&a, text + 6, 8);
		memcpy(&b, text + len - 8, 8);
	}
	return (unsigned)((a + 31 * b + len) * 0x9e3779b97f4a7c15ull >> 57);
}
_Static_assert(GFP_CACHE == 1 << (64 - 57), "the hash has as many values");

static bool parse_gfp(struct trace_parser *t, const char *text, size_t len, gfp_t *gfp)
{
	struct gfp_known *k;

	if (!len || len >= GFP_TEXT)
		return false;
	k = &t->known[gfp_hash(text, len)];
	if (k->len != len || memcmp(k->text, text, len)) {
		char copy[GFP_TEXT];

		memcpy(copy, text, len);
		copy[len] = 0;
		if (!gfp_words(copy, gfp))
			return false;
		k->len = (uint32_t)len;
		k->gfp = *gfp;
		memcpy(k->text, copy, len);
	}
	*gfp = k->gfp;
	return true;
}

/* The types whose numbers have long been the same; returns where to go on. */
static const char *migratetype(const char *p, const char *args, const char *end, uint8_t *type)
{
	const char *v = value(p, args, end, WORD(" migratetype="));

	*type = TRACE_NO_TYPE;
	if (!v || v == end || !is_digit(*v))
		return p;
	if (*v - '0' < NR_PCP_TYPES)
		*type = (uint8_t)(*v - '0');
	return v + 1;
}

/* " page=… pfn=0x… order=… migratetype=… gfp_flags=…" */
static const char *arguments(struct trace_parser *t, const char *args, const char *end,
			     struct trace_event *e)
{
	const char *p;
	uint32_t order;

	p = value(end - args > 22 ? args + 22 : args, args, end, WORD(" pfn="));
	p = p ? frame_number(p, end, &e->frame) : NULL;
	if (!p)
		return "no pfn=";
	p = value(p, args, end, WORD(" order="));
	p = p ? decimal(p, end, &order) : NULL;
	if (!p || order > MAX_ORDER || (p < end && *p != ' '))
		return "no order= from 0 to 10";
	e->order = (uint8_t)order;
	if (e->frame & ((1ull << order) - 1))
		return "pfn= is no multiple of the block's size";
	if (e->kind == TRACE_FREE)
		return NULL;
	p = migratetype(p, args, end, &e->type);
	if (e->kind == TRACE_DRAINED)
		return NULL;
	p = value(p, args, end, WORD(" gfp_flags="));
	if (!p || !parse_gfp(t, p, (size_t)(end - p), &e->gfp))
		return "gfp_flags= with unknown names";
	return NULL;
}

static bool is_blank(const char *p, const char *end)
{
	return skip_spaces(p, end) == end;
}

/* Lines that tracefs puts between events, or a complaint. */
static const char *no_event(const char *line, const char *end, struct trace_event *e)
{
	const char *p = starts(line, end, WORD("CPU:"))
				? memmem(line, (size_t)(end - line), WORD("[LOST "))
				: NULL;
	uint32_t n = 0;

	e->kind = TRACE_NOTHING;
	if (is_blank(line, end))
		return NULL;
	if (!p)
		return "this is no event of tracefs";
	decimal(p + 6, end, &n);
	e->kind = TRACE_LOST;
	e->frame = n;
	return NULL;
}

const char *trace_line_parse(struct trace_parser *t, const char *line, const char *end,
			     struct trace_event *e)
{
	const char *p;

	e->kind = TRACE_NOTHING;
	if (end > line && end[-1] == '\r')
		end--;
	if (line == end || *line == '#')
		return NULL;
	p = head(line, end, &e->cpu);
	if (!p)
		return no_event(line, end, e);
	e->kind = TRACE_OTHER;
	if (!starts(p, end, WORD("mm_page_")))
		return NULL;
	p += sizeof("mm_page_") - 1;
	if (starts(p, end, WORD("free:"))) {
		e->kind = TRACE_FREE;
		return arguments(t, p + sizeof("free:") - 1, end, e);
	}
	if (starts(p, end, WORD("alloc:"))) {
		e->kind = TRACE_ALLOC;
		return arguments(t, p + sizeof("alloc:") - 1, end, e);
	}
	if (starts(p, end, WORD("free_batched:")))
		e->kind = TRACE_BATCHED;
	if (starts(p, end, WORD("pcpu_drain:"))) {
		e->kind = TRACE_DRAINED;
		return arguments(t, p + sizeof("pcpu_drain:") - 1, end, e);
	}
	return NULL;
}
