/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_line: one line of a trace as an event. Understood are tracefs's `trace` and `trace_pipe`,
 * with and without tgid and latency format, and, as they differ little, trace-cmd report and
 * perf script. The columns of tracefs are tried first: most lines are told by a few compares.
 */
#ifndef LAB_TRACE_LINE_H
#define LAB_TRACE_LINE_H

#include <pagerig/types.h>

enum trace_kind {
	TRACE_NOTHING, /* a comment or an empty line */
	TRACE_LOST,    /* "CPU:1 [LOST 17 EVENTS]"; frame is the number, 0 if it is not known */
	TRACE_OTHER,   /* an event that moves no page */
	TRACE_ALLOC,
	TRACE_FREE,
	TRACE_BATCHED,
	TRACE_DRAINED, /* mm_page_pcpu_drain: moves no page, but says a pageblock's type */
};

struct trace_event {
	uint64_t frame; /* pfn=; 0 of an allocation that failed */
	uint64_t line;	/* for the caller */
	uint32_t cpu;
	gfp_t gfp;
	uint8_t kind, order;
	uint8_t type; /* migratetype=, of TRACE_ALLOC and TRACE_DRAINED; TRACE_NO_TYPE if unknown */
};

enum { GFP_CACHE = 128, GFP_TEXT = 244, TRACE_NO_TYPE = 255 };
struct trace_parser {
	struct gfp_known {
		uint32_t len;
		gfp_t gfp;
		char text[GFP_TEXT];
	} known[GFP_CACHE];
};

/* Parses [line, end), which has no newline. NULL, or what is wrong with it. */
const char *trace_line_parse(struct trace_parser *p, const char *line, const char *end,
			     struct trace_event *e);

#endif
