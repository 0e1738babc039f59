/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shm/pages.h"

#include "shm/lru.h"
#include "shm/segment.h"
#include "shm/swap.h"

#include <errno.h>
#include <string.h>

uint64_t shm_filled;

pfn_t page_frame(const struct segment *s, uint64_t i)
{
	uint64_t e = index_get(&s->pages.index, i);

	return entry_kind(e) == PAGE_FRAME ? entry_value(e) : 0;
}

void shm_count(enum pr_event e, uint64_t n)
{
	pthread_mutex_lock(&rig.lock);
	pr_count(&rig.m, frames_cpu(), e, n);
	pthread_mutex_unlock(&rig.lock);
}

/* What an entry stands for counts where it is. */
static void count(struct segment *s, uint64_t e, int64_t n)
{
	if (entry_kind(e) == PAGE_FRAME)
		s->pages.resident += (uint64_t)n;
	else if (entry_kind(e) != PAGE_HOLE)
		s->pages.elsewhere += (uint64_t)n;
	if (entry_kind(e) == PAGE_FILL)
		shm_filled += (uint64_t)n;
}

void page_replace(struct segment *s, uint64_t i, uint64_t with)
{
	uint64_t old = index_get(&s->pages.index, i);

	/* it has its node already unless it was a hole, and those go by place_new() */
	if (index_set(&s->pages.index, i, with))
		return;
	count(s, old, -1);
	count(s, with, 1);
}

/* Gives up what an entry names, but the entry itself. */
static void let_go(uint64_t e)
{
	if (entry_kind(e) == PAGE_FRAME)
		frame_drop(entry_value(e));
	else if (entry_kind(e) == PAGE_SWAP)
		swap_put(entry_value(e));
}

static int place_new(struct segment *s, uint64_t i, uint64_t old, pfn_t pfn)
{
	struct frame *f = frame_at(pfn);

	if (index_set(&s->pages.index, i, entry(PAGE_FRAME, pfn))) {
		frame_unpin(pfn); /* no segment yet: freed */
		return -ENOMEM;
	}
	count(s, old, -1);
	s->pages.resident++;
	f->segment = s->id;
	f->index = i;
	return 0;
}

static void fill_words(void *to, uint32_t word)
{
	uint32_t *w = to;

	for (unsigned k = 0; k < PR_PAGE_SIZE / sizeof(*w); k++)
		w[k] = word;
}

static void count_fault(struct segment *s, enum page_use use, uint64_t old)
{
	bool major = entry_kind(old) == PAGE_SWAP || entry_kind(old) == PAGE_FILL;

	if (major && !(old & ENTRY_UNWRITTEN))
		s->pages.refault++;
	if (use != USE_READ)
		return;
	*(major ? &s->pages.major : &s->pages.minor) += 1;
	shm_count(EV_PGFAULT, 1);
	if (major)
		shm_count(EV_PGMAJFAULT, 1);
}

static void touched(pfn_t pfn, enum page_use use)
{
	struct frame *f = frame_at(pfn);

	f->pins++;
	f->flags |= FRAME_TOUCHED;
	if (use == USE_CLEAN)
		return;
	if (!(f->flags & FRAME_AHEAD))
		f->flags |= FRAME_REFERENCED; /* the first use of a page read ahead is no second one */
	f->flags &= (uint8_t)~FRAME_AHEAD;
	if (f->list == LIST_COLD)
		shm_lru_del(pfn); /* unpinning puts it where it belongs now */
}

int page_get(struct segment *s, uint64_t i, enum page_use use, pfn_t *pfn)
{
	uint64_t old = index_get(&s->pages.index, i);
	enum page_kind kind = entry_kind(old);
	int err;

	if (kind == PAGE_LOST)
		return -EIO;
	if (kind == PAGE_SWAP && use != USE_WHOLE)
		return -EAGAIN;
	if (kind == PAGE_FRAME) {
		*pfn = entry_value(old);
		if (old & ENTRY_UNWRITTEN)
			page_replace(s, i, entry(PAGE_FRAME, *pfn));
		touched(*pfn, use);
		count_fault(s, use, old);
		return 0;
	}
	*pfn = frame_alloc(segment_owner(s));
	if (!*pfn)
		return -ENOMEM;
	if (kind == PAGE_SWAP && shm_lru_was_recent(swap_stamp(entry_value(old))))
		frame_at(*pfn)->flags |= FRAME_WORKINGSET;
	err = place_new(s, i, old, *pfn);
	if (err)
		return err;
	if (kind == PAGE_SWAP)
		swap_put(entry_value(old));
	if (kind == PAGE_FILL && entry_value(old) && use != USE_WHOLE)
		fill_words(frame_write(*pfn, true), (uint32_t)entry_value(old));
	count_fault(s, use, old);
	return 0;
}

void page_count_major(struct segment *s, enum page_use use)
{
	count_fault(s, use, entry(PAGE_SWAP, 0));
}

int page_install(struct segment *s, uint64_t i, uint64_t slot, pfn_t pfn)
{
	uint64_t old = entry(PAGE_SWAP, slot);

	if (index_get(&s->pages.index, i) != old || place_new(s, i, old, pfn)) {
		frame_unpin(pfn); /* it belongs to nobody: freed */
		return -EAGAIN;
	}
	if (shm_lru_was_recent(swap_stamp(slot)))
		frame_at(pfn)->flags |= FRAME_WORKINGSET;
	swap_put(slot);
	s->pages.swapped_in++;
	shm_count(EV_PSWPIN, 1);
	return 0;
}

static void gone(void *ctx, uint64_t, uint64_t e)
{
	count(ctx, e, -1);
	let_go(e);
}

void pages_drop(struct segment *s, uint64_t from, uint64_t to)
{
	index_drop(&s->pages.index, from, to, gone, s);
}

/* A page whose old place is of no use any more: to a frame, else to swap. */
static void store_page(struct segment *s, uint64_t i, uint64_t old, const void *page)
{
	pfn_t pfn = frame_alloc(segment_owner(s));
	uint64_t slot;

	if (pfn && !place_new(s, i, old, pfn)) {
		memcpy(frame_write(pfn, true), page, PR_PAGE_SIZE);
		frame_unpin(pfn);
		return;
	}
	slot = swap_save(s, i, page);
	if (!slot)
		rig_error("shm: page %llu of segment %llu is lost: there is neither memory nor swap",
			  (unsigned long long)i, (unsigned long long)s->ino);
	page_replace(s, i, slot ? entry(PAGE_SWAP, slot) : entry(PAGE_LOST, 0));
}

void page_lost(struct segment *s, uint64_t i)
{
	rig_error("shm: page %llu of segment %llu is lost: its swap slot can't be read or its "
		  "checksum is wrong",
		  (unsigned long long)i, (unsigned long long)s->ino);
	page_replace(s, i, entry(PAGE_LOST, 0));
}

void page_zero(struct segment *s, uint64_t i, unsigned from, unsigned to)
{
	uint64_t e = index_get(&s->pages.index, i);
	char page[PR_PAGE_SIZE];
	bool ok = true;

	if (entry_kind(e) == PAGE_FRAME && !(frame_at(entry_value(e))->flags & FRAME_ZERO))
		memset((char *)frame_write(entry_value(e), false) + from, 0, to - from);
	if (entry_kind(e) == PAGE_FILL && entry_value(e))
		fill_words(page, (uint32_t)entry_value(e));
	else if (entry_kind(e) == PAGE_SWAP)
		ok = !swap_load(entry_value(e), page);
	else
		return;
	if (ok) {
		memset(page + from, 0, to - from);
		store_page(s, i, e, page);
	} else {
		page_lost(s, i);
	}
	if (entry_kind(e) == PAGE_SWAP)
		swap_put(entry_value(e));
}

int page_reserve(struct segment *s, uint64_t i, bool *fresh)
{
	uint64_t old = index_get(&s->pages.index, i);
	pfn_t pfn;

	*fresh = entry_kind(old) == PAGE_HOLE;
	if (!*fresh) { /* in a tmpfs, too, what is reserved twice counts as data */
		if (old & ENTRY_UNWRITTEN)
			page_replace(s, i, old & ~(uint64_t)ENTRY_UNWRITTEN);
		return 0;
	}
	pfn = frame_alloc(segment_owner(s));
	if (!pfn) { /* no frame now: one is promised where swap can make room for it */
		if (swap_free_slots() <= shm_filled)
			return -ENOSPC;
		if (index_set(&s->pages.index, i, entry(PAGE_FILL, 0) | ENTRY_UNWRITTEN))
			return -ENOSPC;
		count(s, entry(PAGE_FILL, 0), 1);
		return 0;
	}
	if (place_new(s, i, old, pfn))
		return -ENOSPC;
	page_replace(s, i, entry(PAGE_FRAME, pfn) | ENTRY_UNWRITTEN);
	frame_unpin(pfn);
	return 0;
}

static bool is_data(uint64_t e)
{
	return e && !(e & ENTRY_UNWRITTEN);
}

static bool is_hole(uint64_t e)
{
	return !is_data(e);
}

uint64_t pages_next(const struct segment *s, uint64_t i, uint64_t to, bool data)
{
	return index_next(&s->pages.index, i, to, data ? is_data : is_hole);
}
