/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_line.c: lines as tracefs and other tools print them, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/trace_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALLOC                                                                                      \
	"mm_page_alloc: page=00000000c241b733 pfn=0x139ad2 order=1 migratetype=0 "                 \
	"gfp_flags=GFP_KERNEL|__GFP_ZERO"
#define GFP (GFP_KERNEL | __GFP_ZERO)

static const char *parse(const char *line, struct trace_event *e)
{
	static struct trace_parser parser;
	size_t len = strlen(line);
	char *exact = malloc(len + 1); /* so that a sanitizer sees a look behind the end */
	const char *why;

	memcpy(exact, line, len);
	exact = realloc(exact, len ? len : 1);
	*e = (struct trace_event){0};
	why = trace_line_parse(&parser, exact, exact + len, e);
	free(exact);
	return why;
}

static void heads_of_all_formats(void **)
{
	static const struct {
		const char *head;
		unsigned cpu;
	} heads[] = {
		{"            bash-6073    [001] .....  1019.379197: ", 1},
		{"            bash-6073    [001] d..3.  1019.379197: ", 1},
		{"            bash-6073    [012] .... 91019.379197: ", 12},	/* four flags */
		{"            bash-6073    [001] ..... 123456789.379197: ", 1}, /* long uptime */
		{"          <idle>-0       [255] d.s1.     0.000001: ", 255},
		{"     Web Content-123     [003] .....  1019.379197: ", 3},
		{" a: mm_page_free-1234567 [002] .....  1019.379197: ", 2},
		{"         x-1 [0]-77      [004] .....  1019.379197: ", 4},
		{"            bash-6073    (   6070) [001] .....  1019.379197: ",
		 1}, /* record-tgid */
		{"        kthreadd-2       (-------) [001] .....  1019.379197: ", 1},
		{"    bash-6073      1.....   379us : ", 1}, /* latency-format */
		{"    bash-6073     12d..3.   379us+: ", 12},
		{"            bash-6073  [001]  1019.379197: ", 1}, /* trace-cmd report */
		{"bash  6073 [007]  1019.379197: kmem:", 7},	    /* perf script */
		{"a [1] b  6073 [007]  1019.379197: kmem:", 7},
		{"            bash-6073    [001] ..... 2432918492318: ", 1}, /* clock x86-tsc */
	};
	struct trace_event e;
	char line[512];

	for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		snprintf(line, sizeof(line), "%s" ALLOC "%s", heads[i].head, i % 2 ? "\r" : "");
		assert_null(parse(line, &e));
		assert_int_equal(e.kind, TRACE_ALLOC);
		assert_int_equal(e.cpu, heads[i].cpu);
		assert_int_equal(e.frame, 0x139ad2);
		assert_int_equal(e.order, 1);
		assert_int_equal(e.gfp, GFP);
	}
}

#define HEAD "            cc-1    [001] .....  1.000001: "
static void arguments(void **)
{
	static const struct {
		const char *line;
		enum trace_kind kind;
		uint64_t frame;
		unsigned order;
		gfp_t gfp;
	} good[] = {
		{HEAD
		 "mm_page_alloc: page=(null) pfn=0x0 order=9 migratetype=1 gfp_flags=GFP_TRANSHUGE",
		 TRACE_ALLOC, 0, 9, GFP_TRANSHUGE},
		{HEAD "mm_page_alloc: page=ffffea0000000000 pfn=1048576 order=10 migratetype=1 "
		      "gfp_flags=GFP_NOIO",
		 TRACE_ALLOC, 1048576, 10, GFP_NOIO},
		{HEAD
		 "mm_page_alloc:        page=0x1 pfn=0x1 order=0 migratetype=0 gfp_flags=GFP_NOIO",
		 TRACE_ALLOC, 1, 0, GFP_NOIO},
		{HEAD "mm_page_alloc: page=1 pfn=0x1 order=0 migratetype=0 "
		      "gfp_flags=GFP_NOFS|__GFP_SKIP_ZERO|0x2000000",
		 TRACE_ALLOC, 1, 0, GFP_NOFS},
		{HEAD "mm_page_free: page=00000000c241b733 pfn=0xFFFFFFFFFFFFFFFF order=0",
		 TRACE_FREE, UINT64_MAX, 0, 0},
		{HEAD "mm_page_free: page=1 pfn=0x8 order=3", TRACE_FREE, 8, 3, 0},
		{HEAD "mm_page_free_batched: page=1 pfn=0x8 order=0", TRACE_BATCHED, 0, 0, 0},
		{HEAD "mm_page_pcpu_drain: page=1 pfn=0x8 order=0 migratetype=1", TRACE_DRAINED, 8,
		 0, 0},
		{HEAD "tracing_mark_write: mm_page_free: pfn=0x1", TRACE_OTHER, 0, 0, 0},
		{"CPU:1 [LOST 17 EVENTS]", TRACE_LOST, 17, 0, 0},
		{"CPU:1 [LOST EVENTS]", TRACE_LOST, 0, 0, 0},
		{"##### CPU 1 buffer started ####", TRACE_NOTHING, 0, 0, 0},
		{"   ", TRACE_NOTHING, 0, 0, 0},
		{"", TRACE_NOTHING, 0, 0, 0},
	};
	struct trace_event e;

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_null(parse(good[i].line, &e));
		assert_int_equal(e.kind, good[i].kind);
		assert_int_equal(e.frame, good[i].frame);
		assert_int_equal(e.order, good[i].order);
		assert_int_equal(e.gfp, good[i].gfp);
	}
}

static void what_is_no_event(void **)
{
	static const char *const bad[][2] = {
		{"hello", "this is no event of tracefs"},
		{"mm_page_free", "this is no event of tracefs"},
		{"            bash-6073    [0x1] .....  1.0: ", "this is no event of tracefs"},
		{"CPU:1 buffer", "this is no event of tracefs"},
		{HEAD "mm_page_alloc: gfp_flags=GFP_KERNEL", "no pfn="},
		{HEAD "mm_page_free: page=1 pfn= order=0", "no pfn="},
		{HEAD "mm_page_free: page=1 pfn=0x order=0", "no pfn="},
		{HEAD "mm_page_free: page=1 pfn=12a order=0", "no pfn="},
		{HEAD "mm_page_free: page=1 pfn=0x12345678123456789 order=0", "no pfn="},
		{HEAD "mm_page_free: page=1 pfn=0x1 order=", "no order= from 0 to 10"},
		{HEAD "mm_page_free: page=1 pfn=0x1 order=1a", "no order= from 0 to 10"},
		{HEAD "mm_page_free: page=1 pfn=0x1 order=-1", "no order= from 0 to 10"},
		{HEAD "mm_page_free: page=1 pfn=0x1 order=99999999999999999999",
		 "no order= from 0 to 10"},
		{HEAD "mm_page_free: page=1 pfn=0x1 order=1",
		 "pfn= is no multiple of the block's size"},
		{HEAD "mm_page_alloc: page=1 pfn=0x1 order=0", "gfp_flags= with unknown names"},
		{HEAD "mm_page_alloc: page=1 pfn=0x1 order=0 gfp_flags=",
		 "gfp_flags= with unknown names"},
		{HEAD "mm_page_alloc: page=1 pfn=0x1 order=0 gfp_flags=GFP_KERNEL|",
		 "gfp_flags= with unknown names"},
		{HEAD "mm_page_alloc: page=1 pfn=0x1 order=0 gfp_flags=GFP_KERNEL GFP",
		 "gfp_flags= with unknown names"},
	};
	struct trace_event e;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *why = parse(bad[i][0], &e);

		assert_non_null(why);
		assert_string_equal(why, bad[i][1]);
	}
}

/* A line that is cut anywhere is refused or means something, and nothing behind its end is looked
 * at. */
static void cut_lines(void **)
{
	static const char whole[] = HEAD ALLOC;
	struct trace_event e;
	char line[sizeof(whole)];

	for (size_t len = 0; len < sizeof(whole); len++) {
		memcpy(line, whole, len);
		line[len] = 0;
		if (!parse(line, &e) && e.kind == TRACE_ALLOC)
			assert_true(len == sizeof(whole) - 1 ||
				    strstr(line, "gfp_flags=GFP_KERNEL"));
	}
	assert_int_equal(e.kind, TRACE_ALLOC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_of_all_formats),
		cmocka_unit_test(arguments),
		cmocka_unit_test(what_is_no_event),
		cmocka_unit_test(cut_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
