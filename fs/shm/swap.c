/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/swap.h"

#include "main/options.h"
#include "shm/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

/* Page 0 of an area says that it is ours; slot n of it is page n + 1. */
static const char swap_magic[] = "pagerig-swap 1\n";

enum slot_state { SLOT_FREE, SLOT_USED, SLOT_LEAVING };
struct slot {
	uint64_t hash, index;
	uint32_t segment, stamp;
	uint8_t state, pins;
	uint16_t spare[3];
};
static_assert(sizeof(struct slot) == SLOT_SIZE, "slot is budgeted");

static struct area {
	int fd, priority;
	char *path;
	uint64_t first, nr, used, hint; /* hint: where the search begins, relative to first */
	uint16_t *cluster;		/* slots in use of each */
	time_t rests_until;		/* after a failed write */
	bool device;
} areas[SWAP_MAX_AREAS];
static unsigned nr_areas;
static uint64_t nr_slots, nr_used;

static void count_used(int64_t n)
{
	nr_used += (uint64_t)n;
	pthread_mutex_lock(&rig.lock);
	rig.swap_used = nr_used;
	pthread_mutex_unlock(&rig.lock);
}

static int complain(const char *spec, const char *why, int err)
{
	fprintf(stderr, "pagerig: --swap: %s: %s\n", spec, why);
	return -err;
}

/* The file of an area: ours, new, or a device; never somebody's data. */
static int open_file(const char *spec, struct area *a)
{
	char head[sizeof(swap_magic) - 1];
	struct stat st;
	ssize_t n;

	a->fd = a->path ? open(a->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)
			: open("/var/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (a->fd < 0 || fstat(a->fd, &st))
		return complain(spec, strerror(errno), errno);
	a->device = S_ISBLK(st.st_mode);
	if (!a->device && !S_ISREG(st.st_mode))
		return complain(spec, "this is neither a file nor a block device", EINVAL);
	n = pread(a->fd, head, sizeof(head), 0);
	if (n && (n < (ssize_t)sizeof(head) || memcmp(head, swap_magic, sizeof(head))))
		return complain(spec, "there is something else in it; give an empty or a new file",
				EEXIST);
	if (!a->device && fallocate(a->fd, 0, 0, (off_t)((a->nr + 1) * PR_PAGE_SIZE)) &&
	    errno != EOPNOTSUPP)
		return complain(spec, strerror(errno), errno);
	if (pwrite(a->fd, swap_magic, sizeof(head), 0) != (ssize_t)sizeof(head))
		return complain(spec, strerror(errno), errno);
	return 0;
}

int swap_add(const char *spec)
{
	char *text = strdup(spec), *file, *pri, *end;
	struct area a = {.fd = -1, .priority = -2 - (int)nr_areas};
	uint64_t bytes;
	int err = 0;

	if (!text)
		return -ENOMEM;
	pri = strstr(text, ",pri=");
	if (pri) {
		*pri = 0;
		a.priority = (int)strtol(pri + 5, &end, 10);
		if (!pri[5] || *end || a.priority < 0 || a.priority > 32767)
			err = complain(spec, "a priority is 0 to 32767", EINVAL);
	}
	file = strchr(text, ':');
	if (file)
		*file++ = 0;
	if (!err && (options_size(text, &bytes) || bytes < 2 * PR_PAGE_SIZE))
		err = complain(spec, "is not SIZE[:FILE][,pri=N], such as 512M:/var/tmp/swap", EINVAL);
	if (!err && nr_areas == SWAP_MAX_AREAS)
		err = complain(spec, "there are eight areas already", EINVAL);
	if (!err) {
		a.nr = bytes / PR_PAGE_SIZE - 1;
		a.path = file ? strdup(file) : NULL;
		a.cluster = calloc(a.nr / SWAP_CLUSTER + 1, sizeof(*a.cluster));
		a.first = nr_slots + 1;
		err = a.cluster ? open_file(spec, &a) : -ENOMEM;
		areas[nr_areas++] = a; /* also one that failed: swap_exit closes it */
		nr_slots += a.nr;
	}
	free(text);
	return err;
}

static int by_priority(const void *a, const void *b)
{
	return ((const struct area *)b)->priority - ((const struct area *)a)->priority;
}

int swap_init(void)
{
	qsort(areas, nr_areas, sizeof(*areas), by_priority);
	rig.swap_total = nr_slots;
	return 0;
}

void swap_exit(void)
{
	for (unsigned i = 0; i < nr_areas; i++) {
		if (areas[i].fd >= 0)
			close(areas[i].fd);
		free(areas[i].path);
		free(areas[i].cluster);
	}
	nr_areas = 0;
}

uint64_t swap_slots(void)
{
	return nr_slots;
}

uint64_t swap_free_slots(void)
{
	return nr_slots - nr_used;
}

static struct slot *slot_at(uint64_t slot)
{
	return (struct slot *)store_slots() + slot;
}

static struct area *area_of(uint64_t slot)
{
	struct area *a = areas;

	while (slot < a->first || slot >= a->first + a->nr)
		a++;
	return a;
}

/* The first free slot from the hint on, round once; a->nr if there is none. */
static uint64_t find_free(const struct area *a)
{
	uint64_t at = a->hint < a->nr ? a->hint : 0;

	for (uint64_t looked = 0; looked < a->nr;) {
		uint64_t c = at / SWAP_CLUSTER, end = (c + 1) * SWAP_CLUSTER;

		end = end < a->nr ? end : a->nr;
		if (a->cluster[c] < end - c * SWAP_CLUSTER)
			for (uint64_t i = at; i < end; i++)
				if (slot_at(a->first + i)->state == SLOT_FREE)
					return i;
		looked += end - at;
		at = end < a->nr ? end : 0;
	}
	/* the hint's own cluster, in front of it */
	for (uint64_t i = at / SWAP_CLUSTER * SWAP_CLUSTER; i < at; i++)
		if (slot_at(a->first + i)->state == SLOT_FREE)
			return i;
	return a->nr;
}

static struct area *choose(void)
{
	struct area *best = NULL;
	time_t now = time(NULL);

	for (unsigned i = 0; i < nr_areas; i++) {
		struct area *a = &areas[i];

		if (a->used == a->nr || a->rests_until > now || (best && best->priority > a->priority))
			continue;
		/* of one priority, in turn: the emptier one */
		if (!best || a->used * best->nr < best->used * a->nr)
			best = a;
	}
	return best;
}

unsigned swap_get(unsigned want, uint64_t *slot)
{
	struct area *a = choose();
	uint64_t at;
	unsigned n;

	if (!a)
		return 0;
	at = find_free(a);
	*slot = a->first + at;
	for (n = 0; n < want && at + n < a->nr && slot_at(*slot + n)->state == SLOT_FREE; n++) {
		*slot_at(*slot + n) = (struct slot){.state = SLOT_USED};
		a->cluster[(at + n) / SWAP_CLUSTER]++;
	}
	a->hint = at + n;
	a->used += n;
	count_used(n);
	return n;
}

static void slot_free(uint64_t slot)
{
	struct area *a = area_of(slot);

	slot_at(slot)->state = SLOT_FREE;
	a->cluster[(slot - a->first) / SWAP_CLUSTER]--;
	a->used--;
	count_used(-1);
}

void swap_put(uint64_t slot)
{
	if (slot_at(slot)->pins)
		slot_at(slot)->state = SLOT_LEAVING;
	else
		slot_free(slot);
}

void swap_pin(uint64_t slot)
{
	slot_at(slot)->pins++;
}

void swap_unpin(uint64_t slot)
{
	if (!--slot_at(slot)->pins && slot_at(slot)->state == SLOT_LEAVING)
		slot_free(slot);
}

void swap_set(uint64_t slot, const struct segment *s, uint64_t i, uint64_t hash, uint32_t stamp)
{
	struct slot *e = slot_at(slot);

	e->segment = s->id;
	e->index = i;
	e->hash = hash;
	e->stamp = stamp;
}

uint32_t swap_stamp(uint64_t slot)
{
	return slot_at(slot)->stamp;
}

bool swap_holds(uint64_t slot, uint32_t *segment, uint64_t *i)
{
	const struct slot *e = slot_at(slot);

	*segment = e->segment;
	*i = e->index;
	return e->state == SLOT_USED && e->segment;
}

bool swap_matches(uint64_t slot, const void *page)
{
	return XXH3_64bits(page, PR_PAGE_SIZE) == slot_at(slot)->hash;
}

static off_t offset(const struct area *a, uint64_t slot)
{
	return (off_t)((slot - a->first + 1) * PR_PAGE_SIZE);
}

int swap_read(uint64_t slot, void *pages, unsigned n, bool wait)
{
	const struct area *a = area_of(slot);
	size_t size = (size_t)n * PR_PAGE_SIZE, done = 0;

	while (done < size) {
		struct iovec v = {(char *)pages + done, size - done};
		ssize_t r = preadv2(a->fd, &v, 1, offset(a, slot) + (off_t)done,
				    wait ? 0 : RWF_NOWAIT);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && !wait && errno == EOPNOTSUPP)
			return -EAGAIN;
		if (r <= 0)
			return r ? -errno : -EIO;
		done += (size_t)r;
	}
	return 0;
}

int swap_write(uint64_t slot, const void *pages, unsigned n)
{
	struct area *a = area_of(slot);
	size_t size = (size_t)n * PR_PAGE_SIZE, done = 0;

	while (done < size) {
		ssize_t r = pwrite(a->fd, (const char *)pages + done, size - done,
				   offset(a, slot) + (off_t)done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			int err = r ? errno : ENOSPC;

			/* full or broken: it rests a second, the others go on */
			if (a->rests_until < time(NULL))
				rig_error("swap: %s: a write failed: %s", a->path ? a->path : "(no name)",
					  strerror(err));
			a->rests_until = time(NULL) + 1;
			return -err;
		}
		done += (size_t)r;
	}
	return 0;
}

int swap_load(uint64_t slot, void *page)
{
	int err = swap_read(slot, page, 1, true);

	return err ? err : swap_matches(slot, page) ? 0 : -EIO;
}

uint64_t swap_save(struct segment *s, uint64_t i, const void *page)
{
	uint64_t slot;

	if (!swap_get(1, &slot))
		return 0;
	if (swap_write(slot, page, 1)) {
		swap_put(slot);
		return 0;
	}
	swap_set(slot, s, i, XXH3_64bits(page, PR_PAGE_SIZE), 0);
	return slot;
}

unsigned swap_window(uint64_t slot, unsigned pages, uint64_t *first)
{
	const struct area *a = area_of(slot);
	uint64_t at = (slot - a->first) / pages * pages;

	*first = a->first + at;
	return at + pages < a->nr ? pages : (unsigned)(a->nr - at);
}

void swap_print(FILE *to)
{
	fprintf(to, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	for (unsigned i = 0; i < nr_areas; i++) {
		const struct area *a = &areas[i];
		const char *name = a->path ? a->path : "/var/tmp\\040(no\\040name)";
		int pad = strlen(name) < 40 ? 40 - (int)strlen(name) : 1;

		fprintf(to, "%s%*s%s\t%llu\t%s%llu\t%s%d\n", name, pad, " ",
			a->device ? "partition" : "file\t", (unsigned long long)a->nr * 4,
			a->nr * 4 < 10000000 ? "\t" : "", (unsigned long long)a->used * 4,
			a->used * 4 < 10000000 ? "\t" : "", a->priority);
	}
}
