/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_filter.c: conditions on the fields of an event, in the language of tracefs
 * (Documentation/trace/events.rst): comparisons joined by &&, || and !, with parentheses.
 */
#include <pagerig/trace.h>

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum op { OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT, OP_BITS, OP_AND, OP_OR, OP_NOT };
/* longer ones first: "<=" before "<" */
static const struct {
	const char *text;
	enum op op;
} comparisons[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE},
		   {"<", OP_LT},  {">", OP_GT},	 {"&", OP_BITS}};

enum { FIELD_PID = 254, FIELD_CPU = 255, MAX_DEPTH = 16 };

struct parser {
	struct pr_trace_filter f;
	unsigned event, depth;
	const char *at;
	char *why;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int bad(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, p->size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void skip_space(struct parser *p)
{
	p->at += strspn(p->at, " \t\n");
}

static bool take(struct parser *p, const char *text)
{
	skip_space(p);
	if (strncmp(p->at, text, strlen(text)))
		return false;
	p->at += strlen(text);
	return true;
}

static int add(struct parser *p, enum op op, unsigned field, int64_t value)
{
	if (p->f.nr == PR_FILTER_NODES)
		return bad(p, "a filter has at most %d conditions and connectives", PR_FILTER_NODES);
	p->f.node[p->f.nr].op = (uint8_t)op;
	p->f.node[p->f.nr].field = (uint8_t)field;
	p->f.node[p->f.nr++].value = value;
	return 0;
}

static size_t word(const char *at)
{
	size_t n = 0;

	while (isalnum((unsigned char)at[n]) || at[n] == '_')
		n++;
	return n;
}

static int find_field(struct parser *p, const char *name, size_t len)
{
	static const struct {
		const char *name;
		int field;
	} common[] = {{"common_pid", FIELD_PID}, {"CPU", FIELD_CPU}, {"cpu", FIELD_CPU}};
	const struct pr_trace_field *f = pr_trace_fields(p->event);

	for (int i = 0; f[i].name; i++)
		if (strlen(f[i].name) == len && !memcmp(f[i].name, name, len))
			return i;
	for (unsigned i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (strlen(common[i].name) == len && !memcmp(common[i].name, name, len))
			return common[i].field;
	return bad(p, "%s has no field '%.*s'", pr_trace_name(p->event), (int)len, name);
}

static int parse_value(struct parser *p, int64_t *value)
{
	char *end;
	size_t len;

	skip_space(p);
	errno = 0;
	*value = *p->at == '-' ? strtoll(p->at, &end, 0) : (int64_t)strtoull(p->at, &end, 0);
	len = word(end);
	if (end == p->at || len || errno)
		return bad(p, "'%.*s' is not a number", (int)(end - p->at + (long)len + !len),
			   *p->at ? p->at : "(nothing)");
	p->at = end;
	return 0;
}

static int parse_comparison(struct parser *p)
{
	size_t len = word(p->at);
	const char *name = p->at;
	int64_t value;
	int field;

	if (!len)
		return bad(p, "a field's name is missing at '%.16s'", p->at);
	field = find_field(p, p->at, len);
	if (field < 0)
		return field;
	p->at += len;
	for (unsigned i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		/* "&&" is no comparison */
		if ((skip_space(p), strncmp(p->at, "&&", 2)) && take(p, comparisons[i].text))
			return parse_value(p, &value) ? -EINVAL
						      : add(p, comparisons[i].op, (unsigned)field,
							    value);
	return bad(p, "after '%.*s' comes one of == != < <= > >= &", (int)len, name);
}

static int parse_or(struct parser *p);

static int parse_one(struct parser *p)
{
	int err;

	if (++p->depth > MAX_DEPTH)
		return bad(p, "parentheses are nested more than %d deep", MAX_DEPTH);
	if (take(p, "!")) {
		err = parse_one(p);
		err = err ? err : add(p, OP_NOT, 0, 0);
	} else if (take(p, "(")) {
		err = parse_or(p);
		if (!err && !take(p, ")"))
			err = bad(p, "a ')' is missing");
	} else {
		skip_space(p);
		err = parse_comparison(p);
	}
	p->depth--;
	return err;
}

static int parse_and(struct parser *p)
{
	int err = parse_one(p);

	while (!err && take(p, "&&")) {
		err = parse_one(p);
		err = err ? err : add(p, OP_AND, 0, 0);
	}
	return err;
}

static int parse_or(struct parser *p)
{
	int err = parse_and(p);

	while (!err && take(p, "||")) {
		err = parse_and(p);
		err = err ? err : add(p, OP_OR, 0, 0);
	}
	return err;
}

int pr_trace_filter_set(struct pr_trace *t, unsigned event, const char *text, char *why,
			size_t size)
{
	struct parser p = {.event = event, .at = text, .why = why, .size = size};
	int err = 0;

	skip_space(&p);
	if (*p.at && strcmp(p.at, "0")) {
		if (strlen(text) >= PR_FILTER_TEXT)
			return bad(&p, "a filter has at most %d bytes", PR_FILTER_TEXT - 1);
		memcpy(p.f.text, text, strlen(text) + 1);
		err = parse_or(&p);
		skip_space(&p);
		if (!err && *p.at)
			err = bad(&p, "'%.16s' is left over", p.at);
	}
	if (err)
		return err;
	while (__atomic_exchange_n(&t->locked, true, __ATOMIC_ACQUIRE))
		;
	t->filter[event] = p.f;
	__atomic_store_n(&t->locked, false, __ATOMIC_RELEASE);
	return 0;
}

static int64_t value_of(const struct pr_trace_record *r, unsigned field)
{
	if (field == FIELD_PID)
		return r->task;
	if (field == FIELD_CPU)
		return r->cpu;
	return pr_trace_value(r, &pr_trace_fields(r->event)[field]);
}

static bool compare(int64_t a, enum op op, int64_t b)
{
	switch (op) {
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_LE:
		return a <= b;
	case OP_GE:
		return a >= b;
	case OP_LT:
		return a < b;
	case OP_GT:
		return a > b;
	default:
		return (a & b) != 0;
	}
}

bool pr_trace_filter_match(const struct pr_trace_filter *f, const struct pr_trace_record *r)
{
	uint64_t stack = 0; /* a bit a value, the newest lowest */

	for (unsigned i = 0; i < f->nr; i++) {
		enum op op = f->node[i].op;
		uint64_t top = stack & 1, below = stack >> 1 & 1;

		if (op == OP_NOT)
			stack ^= 1;
		else if (op == OP_AND)
			stack = (stack >> 2) << 1 | (top & below);
		else if (op == OP_OR)
			stack = (stack >> 2) << 1 | (top | below);
		else
			stack = stack << 1 |
				compare(value_of(r, f->node[i].field), op, f->node[i].value);
	}
	return stack & 1;
}
