/* SPDX-License-Identifier: GPL-2.0-or-later */
/* failure.c: the engine's report of a failed allocation goes to tracing/error_log, with whose it
 * was. */
#include "native/native.h"

#include <string.h>

_Thread_local struct caller rig_caller;

static void name_of(pid_t pid, char *name, size_t size)
{
	char path[64];
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	comm = pid ? fopen(path, "re") : NULL;
	if (!comm || !fgets(name, (int)size, comm))
		snprintf(name, size, "pagerig");
	name[strcspn(name, "\n")] = 0;
	if (comm)
		fclose(comm);
}

void failure_report(void *, const struct pr_request *r, const char *text)
{
	size_t head = strcspn(text, "\n");
	char comm[32];

	name_of(rig_caller.pid, comm, sizeof(comm));
	rig_error("%s: %.*s\nCPU: %u UID: %u PID: %d Comm: %s Not tainted 6.12-pagerig%s", comm,
		  (int)head, text, r->cpu, (unsigned)rig_caller.uid, (int)rig_caller.pid, comm,
		  text + head);
}

uint64_t failure_shmem(void *, unsigned zone)
{
	return rig.shm_pages[zone];
}
