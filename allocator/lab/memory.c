/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.c: see memory.h. The owner's name for a page is its slot; rows are ranges of slots. A page
 * goes from untouched to mapped; reclaim unmaps it, writes it if need be, and evicts it; the next
 * touch brings it back. Source of the behaviour: mm/memory.c of 6.12 (do_anonymous_page,
 * do_swap_page), mm/filemap.c.
 */
#include <pagerig/memory.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum slot_flag {
	SLOT_USED = 1,	   /* belongs to a row */
	SLOT_MAPPED = 2,
	SLOT_ACCESSED = 4, /* the bits of a page table entry */
	SLOT_DIRTY = 8,
	SLOT_SWAP = 16,	   /* has a place in swap */
	SLOT_EVICTED = 32, /* was in memory, shadow says when */
};

struct slot {
	pfn_t pfn; /* PFN_NONE: not in memory */
	uint64_t shadow;
	uint32_t row;
	uint8_t flags;
};

struct row {
	struct pr_row_spec spec;
	uint64_t first; /* slot */
	uint64_t minor, major;
	bool live;
};

/* A write under way; void if the slot has another frame by then. */
struct write {
	uint32_t slot;
	pfn_t pfn;
};

struct pr_memory {
	struct pr_machine *m;
	struct slot *slot;
	uint64_t nr_slots;
	struct row *row;
	unsigned nr_rows;
	struct write *queue; /* ring */
	uint64_t queue_size, queue_head, queue_tail, depth;
};

/* --- operations for reclaim --- */
static struct slot *slot_of(void *ctx, uint32_t id)
{
	return &((struct pr_memory *)ctx)->slot[id];
}

static const struct row *row_of(const struct pr_memory *mem, const struct slot *s)
{
	return &mem->row[s->row];
}

static unsigned op_referenced(void *ctx, uint32_t id, pfn_t, unsigned *what)
{
	const struct pr_row_spec *spec = &row_of(ctx, slot_of(ctx, id))->spec;
	struct slot *s = slot_of(ctx, id);
	bool was = (s->flags & (SLOT_MAPPED | SLOT_ACCESSED)) == (SLOT_MAPPED | SLOT_ACCESSED);

	*what = (spec->flags & PR_ROW_EXEC ? PR_REF_EXEC : 0u) |
		(spec->flags & PR_ROW_LOCKED ? PR_REF_LOCKED : 0u);
	s->flags &= (uint8_t)~SLOT_ACCESSED;
	return was;
}

static bool op_mapped(void *ctx, uint32_t id, pfn_t)
{
	return slot_of(ctx, id)->flags & SLOT_MAPPED;
}

static int op_swap_add(void *ctx, uint32_t id, pfn_t)
{
	struct pr_memory *mem = ctx;

	if (pr_swap_get(mem->m, 1))
		return -ENOSPC;
	slot_of(ctx, id)->flags |= SLOT_SWAP;
	return 0;
}

static void op_swap_free(void *ctx, uint32_t id, pfn_t)
{
	struct pr_memory *mem = ctx;
	struct slot *s = slot_of(ctx, id);

	if (!(s->flags & SLOT_SWAP))
		return;
	s->flags &= (uint8_t)~SLOT_SWAP;
	pr_swap_put(mem->m, 1);
	if (s->pfn != PFN_NONE) {
		pr_page_swapcache(mem->m, s->pfn, false);
		pr_page_dirty(mem->m, s->pfn); /* it is nowhere else now */
	}
}

static int op_unmap(void *ctx, uint32_t id, pfn_t pfn)
{
	struct pr_memory *mem = ctx;
	struct slot *s = slot_of(ctx, id);

	if (s->flags & SLOT_DIRTY)
		pr_page_dirty(mem->m, pfn);
	s->flags &= (uint8_t) ~(SLOT_MAPPED | SLOT_ACCESSED | SLOT_DIRTY);
	pr_page_mapped(mem->m, pfn, false);
	return 0;
}

static bool queue_grow(struct pr_memory *mem)
{
	uint64_t size = mem->queue_size ? mem->queue_size * 2 : 64;
	struct write *more = calloc(size, sizeof(*more));

	if (!more)
		return false;
	for (uint64_t i = mem->queue_tail; i < mem->queue_head; i++)
		more[i % size] = mem->queue[i % mem->queue_size];
	free(mem->queue);
	mem->queue = more;
	mem->queue_size = size;
	return true;
}

static int op_write(void *ctx, uint32_t id, pfn_t pfn)
{
	struct pr_memory *mem = ctx;

	if (mem->queue_head - mem->queue_tail == mem->queue_size && !queue_grow(mem))
		return -ENOMEM;
	mem->queue[mem->queue_head++ % mem->queue_size] = (struct write){id, pfn};
	if (mem->depth && pr_memory_in_flight(mem) > mem->depth)
		pr_memory_complete(mem, 1);
	return -EINPROGRESS;
}

static int op_evict(void *ctx, uint32_t id, pfn_t, uint64_t shadow)
{
	struct slot *s = slot_of(ctx, id);

	if (s->flags & SLOT_MAPPED)
		return -EBUSY;
	s->pfn = PFN_NONE;
	s->shadow = shadow;
	s->flags |= SLOT_EVICTED;
	return 0;
}

static int op_migrate(void *ctx, uint32_t id, pfn_t, pfn_t to, unsigned)
{
	slot_of(ctx, id)->pfn = to;
	return 0;
}

static const struct pr_owner_ops ops = {
	.name = "memory",
	.referenced = op_referenced,
	.mapped = op_mapped,
	.swap_add = op_swap_add,
	.swap_free = op_swap_free,
	.unmap = op_unmap,
	.write = op_write,
	.evict = op_evict,
	.migrate = op_migrate,
};

uint64_t pr_memory_in_flight(const struct pr_memory *mem)
{
	return mem->queue_head - mem->queue_tail;
}

uint64_t pr_memory_complete(struct pr_memory *mem, uint64_t n)
{
	uint64_t done;

	for (done = 0; done < n && mem->queue_tail < mem->queue_head; done++) {
		struct write w = mem->queue[mem->queue_tail++ % mem->queue_size];

		if (mem->slot[w.slot].pfn == w.pfn)
			pr_writeback_end(mem->m, w.pfn, 0);
	}
	return done;
}

void pr_memory_set_depth(struct pr_memory *mem, uint64_t depth)
{
	mem->depth = depth;
}

/* --- rows --- */
struct pr_memory *pr_memory_new(struct pr_machine *m)
{
	struct pr_memory *mem = calloc(1, sizeof(*mem));

	if (!mem)
		return NULL;
	mem->m = m;
	pr_owner_register(m, PR_OWNER_MEMORY, &ops, mem);
	return mem;
}

static struct row *find_row(const struct pr_memory *mem, int row)
{
	return row >= 0 && (unsigned)row < mem->nr_rows && mem->row[row].live ? &mem->row[row] : NULL;
}

static struct slot *find_slot(const struct pr_memory *mem, const struct row *r, uint64_t page)
{
	return r && page < r->spec.pages ? &mem->slot[r->first + page] : NULL;
}

int pr_row_new(struct pr_memory *mem, const struct pr_row_spec *spec)
{
	struct slot *slots;
	struct row *rows;

	if (!spec->pages || spec->pages > PR_OWNER_ID_MAX - mem->nr_slots ||
	    (spec->flags & ~(unsigned)(PR_ROW_FILE | PR_ROW_EXEC | PR_ROW_LOCKED)))
		return -EINVAL;
	slots = realloc(mem->slot, (mem->nr_slots + spec->pages) * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	mem->slot = slots;
	rows = realloc(mem->row, (mem->nr_rows + 1) * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	mem->row = rows;
	for (uint64_t i = 0; i < spec->pages; i++)
		slots[mem->nr_slots + i] = (struct slot){PFN_NONE, 0, mem->nr_rows, SLOT_USED};
	rows[mem->nr_rows] = (struct row){.spec = *spec, .first = mem->nr_slots, .live = true};
	if (!spec->gfp)
		rows[mem->nr_rows].spec.gfp = GFP_HIGHUSER_MOVABLE;
	mem->nr_slots += spec->pages;
	return (int)mem->nr_rows++;
}

static void drop(struct pr_memory *mem, struct slot *s, unsigned cpu)
{
	if (s->flags & SLOT_MAPPED)
		pr_page_mapped(mem->m, s->pfn, false);
	if (s->flags & SLOT_SWAP)
		pr_swap_put(mem->m, 1);
	/* the frame is ours: it is there as long as the slot says so */
	if (s->pfn != PFN_NONE && pr_free(mem->m, s->pfn, 0, cpu))
		abort();
	s->pfn = PFN_NONE;
	s->shadow = 0;
	s->flags = SLOT_USED;
}

int pr_row_punch(struct pr_memory *mem, int row, uint64_t page, unsigned cpu)
{
	struct row *r = find_row(mem, row);
	struct slot *s = find_slot(mem, r, page);

	if (!s)
		return r ? -EFAULT : -ENOENT;
	drop(mem, s, cpu);
	return 0;
}

int pr_row_free(struct pr_memory *mem, int row, unsigned cpu)
{
	struct row *r = find_row(mem, row);

	if (!r)
		return -ENOENT;
	for (uint64_t i = 0; i < r->spec.pages; i++)
		drop(mem, &mem->slot[r->first + i], cpu);
	r->live = false;
	while (mem->nr_rows && !mem->row[mem->nr_rows - 1].live)
		mem->nr_slots = mem->row[--mem->nr_rows].first;
	return 0;
}

void pr_memory_free(struct pr_memory *mem)
{
	if (!mem)
		return;
	for (int row = (int)mem->nr_rows - 1; row >= 0; row--)
		if (find_row(mem, row) && pr_row_free(mem, row, 0))
			abort(); /* it was there a moment ago */
	pr_owner_register(mem->m, PR_OWNER_MEMORY, NULL, NULL);
	free(mem->slot);
	free(mem->row);
	free(mem->queue);
	free(mem);
}

/* A frame for a page that has none: 0 or -ENOMEM. Reclaim may run meanwhile, and take others. */
static int bring_in(struct pr_memory *mem, const struct row *r, struct slot *s, unsigned cpu)
{
	struct pr_request req = PR_REQUEST(0, r->spec.gfp);
	bool file = r->spec.flags & PR_ROW_FILE;
	pfn_t pfn;

	req.node = r->spec.node;
	req.nodemask = r->spec.nodemask;
	req.cpu = cpu;
	req.owner = pr_owner_mark(PR_OWNER_MEMORY, (uint32_t)(s - mem->slot));
	if (pr_alloc(mem->m, &req, &pfn))
		return -ENOMEM;
	/* a fresh frame of ours can be marked and added */
	if (pr_lru_mark(mem->m, pfn, (file ? PG_FILE : 0u) |
					     (r->spec.flags & PR_ROW_LOCKED ? PG_MLOCKED : 0u)))
		abort();
	if (s->flags & SLOT_EVICTED)
		pr_workingset_refault(mem->m, pfn, s->shadow);
	if (s->flags & SLOT_SWAP) {
		pr_page_swapcache(mem->m, pfn, true);
		pr_count(mem->m, cpu, EV_PSWPIN, 1);
	}
	s->pfn = pfn;
	if (pr_lru_add(mem->m, pfn, cpu))
		abort();
	return 0;
}

int pr_row_touch(struct pr_memory *mem, int row, uint64_t page, bool write, unsigned cpu)
{
	struct row *r = find_row(mem, row);
	struct slot *s = find_slot(mem, r, page);
	enum pr_touch how = PR_TOUCH_HIT;
	bool file;

	if (!s)
		return r ? -EFAULT : -ENOENT;
	file = r->spec.flags & PR_ROW_FILE;
	if (!(s->flags & SLOT_MAPPED)) {
		how = s->pfn == PFN_NONE && (file || (s->flags & SLOT_SWAP)) ? PR_TOUCH_MAJOR
									     : PR_TOUCH_MINOR;
		pr_count(mem->m, cpu, EV_PGFAULT, 1);
		if (s->pfn == PFN_NONE && bring_in(mem, r, s, cpu))
			return -ENOMEM;
		s->flags |= SLOT_MAPPED;
		pr_page_mapped(mem->m, s->pfn, true);
		r->major += how == PR_TOUCH_MAJOR;
		r->minor += how == PR_TOUCH_MINOR;
		if (how == PR_TOUCH_MAJOR)
			pr_count(mem->m, cpu, EV_PGMAJFAULT, 1);
		if (!file && !(s->flags & (SLOT_SWAP | SLOT_EVICTED)))
			s->flags |= SLOT_DIRTY; /* a new page of zeros is nowhere else */
	}
	s->flags |= SLOT_ACCESSED;
	if (write) {
		s->flags |= SLOT_DIRTY;
		if (!(pr_lru_flags(mem->m, s->pfn) & PG_WRITEBACK))
			op_swap_free(mem, (uint32_t)(s - mem->slot), s->pfn);
	}
	return how;
}

int pr_row_mlock(struct pr_memory *mem, int row, bool lock, unsigned cpu)
{
	struct row *r = find_row(mem, row);

	if (!r)
		return -ENOENT;
	r->spec.flags = lock ? r->spec.flags | PR_ROW_LOCKED
			     : r->spec.flags & ~(unsigned)PR_ROW_LOCKED;
	for (uint64_t i = 0; i < r->spec.pages; i++) {
		struct slot *s = &mem->slot[r->first + i];
		int how = lock ? pr_row_touch(mem, row, i, false, cpu) : 0;

		if (how < 0)
			return how;
		if (s->pfn == PFN_NONE)
			continue;
		if (lock)
			pr_page_mlock(mem->m, s->pfn, cpu);
		else
			pr_page_munlock(mem->m, s->pfn, cpu);
	}
	return 0;
}

pfn_t pr_row_pfn(const struct pr_memory *mem, int row, uint64_t page, bool *swapped)
{
	const struct slot *s = find_slot(mem, find_row(mem, row), page);

	if (swapped)
		*swapped = s && (s->flags & SLOT_SWAP);
	return s ? s->pfn : PFN_NONE;
}

int pr_row_stat(const struct pr_memory *mem, int row, struct pr_row_stat *st)
{
	const struct row *r = find_row(mem, row);

	if (!r)
		return -ENOENT;
	*st = (struct pr_row_stat){.pages = r->spec.pages, .minor = r->minor, .major = r->major,
				   .flags = r->spec.flags};
	for (uint64_t i = 0; i < r->spec.pages; i++) {
		const struct slot *s = &mem->slot[r->first + i];

		st->resident += s->pfn != PFN_NONE;
		st->swapped += s->pfn == PFN_NONE && (s->flags & SLOT_SWAP);
		st->locked += s->pfn != PFN_NONE && (r->spec.flags & PR_ROW_LOCKED);
	}
	return 0;
}

bool pr_memory_find(const struct pr_memory *mem, pfn_t pfn, int *row, uint64_t *page)
{
	const struct zone *z = pr_zone_of(mem->m, pfn);
	uint32_t mark = z ? pr_page(mem->m, z, pfn)->owner : 0, id = pr_owner_id(mark);

	if (pr_owner_class_of(mark) != PR_OWNER_MEMORY || id >= mem->nr_slots ||
	    mem->slot[id].pfn != pfn)
		return false;
	*row = (int)mem->slot[id].row;
	*page = id - mem->row[*row].first;
	return true;
}
