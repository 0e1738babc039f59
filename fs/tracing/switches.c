/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switches.c: which events are recorded: tracing_on, set_event, events/. */
#include "tracing/tracing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t bit(unsigned event)
{
	return 1ull << event;
}

/* Events of a system (NULL: all) and name (NULL: all). */
static uint64_t events_of(const char *sys, const char *name)
{
	uint64_t events = 0;

	for (unsigned e = 0; e < NR_TRACE_EVENTS; e++)
		if ((!sys || !strcmp(sys, pr_trace_system(e))) &&
		    (!name || !strcmp(name, pr_trace_name(e))))
			events |= bit(e);
	return events;
}

const char *tracing_system(unsigned i)
{
	const char *last = NULL;

	for (unsigned e = 0; e < NR_TRACE_EVENTS; e++) {
		const char *sys = pr_trace_system(e);

		if ((!last || strcmp(last, sys)) && i-- == 0)
			return sys;
		last = sys;
	}
	return NULL;
}

static void set_events(uint64_t events, bool on)
{
	pthread_mutex_lock(&tracing_lock);
	pr_trace_switch(&rig.m, tracing_trace.on,
			on ? tracing_trace.enabled | events : tracing_trace.enabled & ~events);
	pthread_mutex_unlock(&tracing_lock);
}

/* 0 or 1, as kstrtobool takes them. */
static int parse_bool(const char *line, bool *on, char *why)
{
	static const struct {
		const char *word;
		bool on;
	} words[] = {{"1", true}, {"0", false}, {"y", true}, {"n", false}, {"on", true}, {"off", false}};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(line, words[i].word)) {
			*on = words[i].on;
			return 0;
		}
	snprintf(why, WHY_SIZE, "'%.64s' is neither 0 nor 1", line);
	return -EINVAL;
}

int tracing_on_show(const struct place *, FILE *to)
{
	fprintf(to, "%d\n", tracing_trace.on);
	return 0;
}

int tracing_on_store(const struct place *, char *line, FILE *, char *why)
{
	bool on;
	int err = parse_bool(line, &on, why);

	if (err)
		return err;
	pthread_mutex_lock(&tracing_lock);
	pr_trace_switch(&rig.m, on, tracing_trace.enabled);
	pthread_mutex_unlock(&tracing_lock);
	tracing_wake(); /* who read something and finds tracing off has read all */
	return 0;
}

/* --- events/ --- */
/* "0", "1", and "X" if only some are on. */
static int show_enabled(uint64_t events, FILE *to)
{
	uint64_t on = tracing_trace.enabled & events;

	fprintf(to, "%s\n", on == events ? "1" : on ? "X" : "0");
	return 0;
}

static int store_enabled(uint64_t events, const char *line, char *why)
{
	bool on;
	int err = parse_bool(line, &on, why);

	if (!err)
		set_events(events, on);
	return err;
}

int events_enable_show(const struct place *, FILE *to)
{
	return show_enabled(events_of(NULL, NULL), to);
}

int events_enable_store(const struct place *, char *line, FILE *, char *why)
{
	return store_enabled(events_of(NULL, NULL), line, why);
}

int system_enable_show(const struct place *at, FILE *to)
{
	return show_enabled(events_of(at->system, NULL), to);
}

int system_enable_store(const struct place *at, char *line, FILE *, char *why)
{
	return store_enabled(events_of(at->system, NULL), line, why);
}

int event_enable_show(const struct place *at, FILE *to)
{
	return show_enabled(bit((unsigned)at->event), to);
}

int event_enable_store(const struct place *at, char *line, FILE *, char *why)
{
	return store_enabled(bit((unsigned)at->event), line, why);
}

int event_id(const struct place *at, FILE *to)
{
	fprintf(to, "%d\n", at->event + 1);
	return 0;
}

int event_format(const struct place *at, FILE *to)
{
	char text[8192];

	pr_trace_format((unsigned)at->event, text, sizeof(text));
	fputs(text, to);
	return 0;
}

int event_filter_show(const struct place *at, FILE *to)
{
	const char *text = tracing_trace.filter[at->event].text;

	fprintf(to, "%s\n", *text ? text : "none");
	return 0;
}

int event_filter_store(const struct place *at, char *line, FILE *, char *why)
{
	int err;

	pthread_mutex_lock(&tracing_lock);
	err = pr_trace_filter_set(&tracing_trace, (unsigned)at->event, line, why, WHY_SIZE);
	pthread_mutex_unlock(&tracing_lock);
	return err;
}

int system_filter_show(const struct place *, FILE *to)
{
	fputs("### global filter ###\n# Use this to set filters for multiple events.\n"
	      "# Only events with the given fields will be affected.\n", to);
	return 0;
}

/* For those events of the system that have the fields; none has them: refused. */
int system_filter_store(const struct place *at, char *line, FILE *, char *why)
{
	int err = -EINVAL, one;
	char other[WHY_SIZE] = "";

	pthread_mutex_lock(&tracing_lock);
	for (unsigned e = 0; e < NR_TRACE_EVENTS; e++) {
		if (strcmp(pr_trace_system(e), at->system))
			continue;
		one = pr_trace_filter_set(&tracing_trace, e, line, err ? why : other, WHY_SIZE);
		if (!one)
			err = 0;
	}
	pthread_mutex_unlock(&tracing_lock);
	return err;
}

/* --- set_event --- */
int available_events(const struct place *, FILE *to)
{
	for (unsigned e = 0; e < NR_TRACE_EVENTS; e++)
		fprintf(to, "%s:%s\n", pr_trace_system(e), pr_trace_name(e));
	return 0;
}

int set_event_show(const struct place *, FILE *to)
{
	uint64_t on = tracing_trace.enabled;

	for (unsigned e = 0; e < NR_TRACE_EVENTS; e++)
		if (on & bit(e))
			fprintf(to, "%s:%s\n", pr_trace_system(e), pr_trace_name(e));
	return 0;
}

/* "sys:event", "sys:*", "sys:", "*:*", "event", "sys"; 0 if there is none. */
static uint64_t events_named(char *word)
{
	char *colon = strchr(word, ':'), *name;
	uint64_t events;

	if (!colon) {
		events = events_of(NULL, word);
		return events ? events : events_of(word, NULL);
	}
	*colon = 0;
	name = colon + 1;
	events = events_of(strcmp(word, "*") && *word ? word : NULL,
			   strcmp(name, "*") && *name ? name : NULL);
	*colon = ':';
	return events;
}

/* Words apart by spaces or commas; "!" in front switches off. All of them, or none. */
int set_event_store(const struct place *, char *line, FILE *, char *why)
{
	uint64_t on = 0, off = 0;
	char *word;

	while ((word = strsep(&line, " \t,"))) {
		bool negated = *word == '!';
		uint64_t events = *word ? events_named(word + negated) : 0;

		if (!*word)
			continue;
		if (!events) {
			snprintf(why, WHY_SIZE, "there is no event '%.64s'; see tracing/available_events",
				 word + negated);
			return -EINVAL;
		}
		on = negated ? on & ~events : on | events;
		off = negated ? off | events : off & ~events;
	}
	set_events(off, false);
	set_events(on, true);
	return 0;
}

void set_event_truncate(const struct place *)
{
	set_events(~0ull, false);
}

int current_tracer(const struct place *, FILE *to)
{
	fputs("nop\n", to);
	return 0;
}

int current_tracer_store(const struct place *, char *line, FILE *, char *why)
{
	if (!strcmp(line, "nop"))
		return 0;
	snprintf(why, WHY_SIZE, "there is no tracer '%.64s'; the only one is nop", line);
	return -EINVAL;
}
