/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * workloads.h: streams of allocations and frees from fixed seeds; the same that Linux's own
 * allocator runs beside us, so the stream generator must not change. Includer defines wl_h,
 * WL_NULL, wl_alloc, wl_free, wl_mem, wl_memfree, wl_emit, and WL_PFN for wl_frag.
 *
 * a: one block taken and given back. b: half of memory in a row, freed in random order. c: a steady
 * state of mixed orders at 80 %. d: memory exhausted, every second frame freed, order 1 fails.
 */
#ifndef BENCH_WORKLOADS_H
#define BENCH_WORKLOADS_H

#ifndef WL_ARENA_PAGES
#define WL_ARENA_PAGES 262144u /* 1 GiB */
#endif
typedef unsigned int wl_u32;
typedef unsigned long long wl_u64;
static inline wl_u64 wl_tsc(void)
{
	unsigned a, d;
	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(a), "=d"(d)::"memory");
	return ((wl_u64)d << 32) | a;
}
static inline wl_u64 wl_rnd(wl_u64 *s)
{
	wl_u64 x = *s;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *s = x;
}
static inline wl_u32 wl_below(wl_u64 *s, wl_u32 n)
{
	return (wl_u32)(((wl_rnd(s) >> 32) * (wl_u64)n) >> 32);
}
/* op: bit31 = free, bits 27..30 = order, bits 0..26 = slot */
#define OP(f, o, s) (((wl_u32)(f) << 31) | ((wl_u32)(o) << 27) | (s))
/* mixed stream: orders minO..maxO, P(minO+k)=2^-(k+1) (last takes rest); cap pages live; returns
 * warm-up length */
static wl_u32 wl_gen(wl_u32 *ops, wl_u32 nsteady, wl_u32 maxops, wl_u32 cap, int minO, int maxO,
		     wl_u64 seed, wl_u32 *stk, unsigned char *ord, wl_u32 *live, wl_u32 maxslot,
		     wl_u32 *total)
{
	wl_u64 s = seed;
	wl_u32 n = 0, used = 0, nl = 0, top = 0, i, warm = 0;
	int full = 0;
	for (i = 0; i < maxslot; i++)
		stk[top++] = maxslot - 1 - i;
	while (n < maxops) {
		wl_u64 r = wl_rnd(&s) >> 7;
		int k = __builtin_ctzll(r | (1ull << (maxO - minO))), o = minO + k;
		while (used + (1u << o) > cap || !top) {
			wl_u32 j = wl_below(&s, nl), sl = live[j];
			if (!full) {
				full = 1;
				warm = n;
			}
			if (n >= maxops)
				break;
			ops[n++] = OP(1, ord[sl], sl);
			used -= 1u << ord[sl];
			live[j] = live[--nl];
			stk[top++] = sl;
		}
		if (n >= maxops)
			break;
		{
			wl_u32 sl = stk[--top];
			ord[sl] = o;
			live[nl++] = sl;
			used += 1u << o;
			ops[n++] = OP(0, o, sl);
		}
		if (full && n - warm >= nsteady)
			break;
	}
	*total = n;
	return warm;
}

static inline void wl_run(int cpu, const wl_u32 *ops, wl_u32 n, wl_h *slot, wl_u64 *fails)
{
	wl_u32 i;
	wl_u64 f = 0;
	for (i = 0; i < n; i++) {
		wl_u32 op = ops[i], sl = op & 0x7ffffff, o = (op >> 27) & 15;
		if (op >> 31) {
			if (slot[sl] != WL_NULL) {
				wl_free(cpu, slot[sl], o);
				slot[sl] = WL_NULL;
			}
		} else {
			wl_h h = wl_alloc(cpu, o);
			f += (h == WL_NULL);
			slot[sl] = h;
		}
	}
	*fails += f;
}
struct wl_stream {
	wl_u32 *ops;
	wl_u32 warm, total, maxops, maxslot;
	wl_h *slot;
	unsigned char *ord;
};
static int wl_mk(struct wl_stream *st, wl_u32 cap, int minO, int maxO, wl_u64 seed, wl_u32 nsteady)
{
	wl_u32 maxslot = (cap >> minO) + 1, maxops = nsteady + 2 * maxslot + 4096, i;
	wl_u32 *stk, *live;
	st->maxslot = maxslot;
	st->maxops = maxops;
	st->ops = wl_mem((wl_u64)maxops * 4);
	st->slot = wl_mem((wl_u64)maxslot * sizeof(wl_h));
	st->ord = wl_mem(maxslot);
	stk = wl_mem((wl_u64)maxslot * 4);
	live = wl_mem((wl_u64)maxslot * 4);
	if (!st->ops || !st->slot || !st->ord || !stk || !live)
		return -1;
	st->warm = wl_gen(st->ops, nsteady, maxops, cap, minO, maxO, seed, stk, st->ord, live,
			  maxslot, &st->total);
	for (i = 0; i < maxslot; i++)
		st->slot[i] = WL_NULL;
	wl_memfree(stk, (wl_u64)maxslot * 4);
	wl_memfree(live, (wl_u64)maxslot * 4);
	return 0;
}
static void wl_rm(struct wl_stream *st)
{
	wl_memfree(st->ops, (wl_u64)st->maxops * 4);
	wl_memfree(st->slot, (wl_u64)st->maxslot * sizeof(wl_h));
	wl_memfree(st->ord, st->maxslot);
}
/* free whatever is live; needs order per slot: replay */
static void wl_drain(int cpu, struct wl_stream *st, wl_u32 done)
{
	wl_u32 i;
	for (i = 0; i < done; i++)
		if (!(st->ops[i] >> 31))
			st->ord[st->ops[i] & 0x7ffffff] = (st->ops[i] >> 27) & 15;
	for (i = 0; i < st->maxslot; i++)
		if (st->slot[i] != WL_NULL) {
			wl_free(cpu, st->slot[i], st->ord[i]);
			st->slot[i] = WL_NULL;
		}
}
#define CH 32768u
static void wl_mixed(const char *name, wl_u32 cap, int minO, int maxO, wl_u64 seed, wl_u32 nsteady)
{
	struct wl_stream st;
	wl_u32 i;
	wl_u64 f = 0, t0, t1;
	if (wl_mk(&st, cap, minO, maxO, seed, nsteady)) {
		wl_emit(name, 0, 0, 0);
		return;
	}
	wl_run(0, st.ops, st.warm, st.slot, &f);
	/* let steady state establish for 1/4 of the stream before timing */
	i = st.warm;
	{
		wl_u32 q = (st.total - st.warm) / 4;
		wl_run(0, st.ops + i, q, st.slot, &f);
		i += q;
	}
	for (; i + CH <= st.total; i += CH) {
		wl_u64 ff = 0;
		t0 = wl_tsc();
		wl_run(0, st.ops + i, CH, st.slot, &ff);
		t1 = wl_tsc();
		wl_emit(name, CH, t1 - t0, ff);
	}
	wl_drain(0, &st, i);
	wl_rm(&st);
}
static void wl_pair(const char *name, int o, wl_u32 n, int reps)
{
	int r;
	wl_u32 i;
	wl_u64 t0, t1, f;
	for (r = 0; r < reps; r++) {
		f = 0;
		t0 = wl_tsc();
		for (i = 0; i < n; i++) {
			wl_h h = wl_alloc(0, o);
			if (h == WL_NULL) {
				f++;
				continue;
			}
			wl_free(0, h, o);
		}
		t1 = wl_tsc();
		wl_emit(name, n, t1 - t0, f);
	} /* per alloc+free pair */
}
static void wl_depth(const char *name, int depth, wl_u32 n, int reps)
{
	int r, j;
	wl_u32 i;
	wl_u64 t0, t1, f;
	wl_h *a = wl_mem(depth * sizeof(wl_h));
	for (r = 0; r < reps; r++) {
		f = 0;
		t0 = wl_tsc();
		for (i = 0; i < n / depth; i++) {
			for (j = 0; j < depth; j++) {
				a[j] = wl_alloc(0, 0);
				f += a[j] == WL_NULL;
			}
			for (j = depth - 1; j >= 0; j--)
				if (a[j] != WL_NULL)
					wl_free(0, a[j], 0);
		}
		t1 = wl_tsc();
		wl_emit(name, (n / depth) * depth, t1 - t0, f);
	}
	wl_memfree(a, depth * sizeof(wl_h));
}
static void wl_bulk(const char *an, const char *fn, wl_u32 n, int reps)
{
	wl_h *a = wl_mem((wl_u64)n * sizeof(wl_h));
	wl_u32 *p = wl_mem((wl_u64)n * 4), i;
	wl_u64 s = 0x9E3779B97F4A7C15ull, t0, t1, f;
	int r;
	if (!a || !p) {
		wl_emit(an, 0, 0, 0);
		return;
	}
	for (i = 0; i < n; i++)
		p[i] = i;
	for (i = n - 1; i > 0; i--) {
		wl_u32 j = wl_below(&s, i + 1), t = p[i];
		p[i] = p[j];
		p[j] = t;
	}
	for (i = 0; i < n; i++)
		a[i] = WL_NULL;
	for (r = 0; r < reps; r++) {
		f = 0;
		t0 = wl_tsc();
		for (i = 0; i < n; i++) {
			a[i] = wl_alloc(0, 0);
			f += a[i] == WL_NULL;
		}
		t1 = wl_tsc();
		if (r)
			wl_emit(an, n, t1 - t0, f);
		t0 = wl_tsc();
		for (i = 0; i < n; i++) {
			wl_h h = a[p[i]];
			if (h != WL_NULL)
				wl_free(0, h, 0);
		}
		t1 = wl_tsc();
		if (r)
			wl_emit(fn, n, t1 - t0, 0);
	}
	wl_memfree(a, (wl_u64)n * sizeof(wl_h));
	wl_memfree(p, (wl_u64)n * 4);
}
/* (d): exhaust with order-0, free every second page (odd pfn), then try order 1 */
static void wl_frag(wl_u32 maxn)
{
#ifdef WL_PFN
	wl_h *a = wl_mem((wl_u64)maxn * sizeof(wl_h));
	wl_u32 n = 0, i, k = 0, fr = 0;
	wl_u64 t0, t1, f;
	int r;
	if (!a)
		return;
	t0 = wl_tsc();
	while (n < maxn) {
		a[n] = wl_alloc(0, 0);
		if (a[n] == WL_NULL)
			break;
		n++;
	}
	t1 = wl_tsc();
	wl_emit("d_exhaust", n, t1 - t0, 0);
	if (n < maxn)
		for (r = 0; r < 5; r++) {
			t0 = wl_tsc();
			for (i = 0; i < 200; i++) {
				wl_h h = wl_alloc(0, 0);
				if (h != WL_NULL) {
					if (n < maxn)
						a[n++] = h;
					else
						wl_free(0, h, 0);
				}
			}
			t1 = wl_tsc();
			wl_emit("d_oom0", 200, t1 - t0, 0);
		}
	t0 = wl_tsc();
	for (i = 0; i < n; i++)
		if (WL_PFN(a[i]) & 1) {
			wl_free(0, a[i], 0);
			fr++;
		} else
			a[k++] = a[i];
	t1 = wl_tsc();
	wl_emit("d_free_odd", fr, t1 - t0, 0);
	{
		wl_u32 q = 0;
		wl_h h;
		while (k + 1 < n && (h = wl_alloc(0, 1)) != WL_NULL) {
			a[n - 1 - q] = h;
			q++;
			if (n - 1 - q <= k)
				break;
		}
		f = 0;
		/* reserve of order>=1 blocks is now gone (held in a[n-q..n)) */
		for (r = 0; r < 9; r++) {
			f = 0;
			t0 = wl_tsc();
			for (i = 0; i < 200; i++) {
				wl_h g = wl_alloc(0, 1);
				if (g == WL_NULL)
					f++;
				else
					wl_free(0, g, 1);
			}
			t1 = wl_tsc();
			wl_emit("d_order1_fail", 200, t1 - t0, f);
		}
		while (q) {
			wl_free(0, a[n - q], 1);
			q--;
		}
	}
	wl_pair("d_pair0_frag", 0, 20000, 5);
	for (i = 0; i < k; i++)
		wl_free(0, a[i], 0);
	wl_memfree(a, (wl_u64)maxn * sizeof(wl_h));
#endif
}
static void wl_all(int scale)
{
	static const char *pn[] = {"g_pair_o0", "g_pair_o1", "g_pair_o2", "g_pair_o3",
				   "g_pair_o4", "g_pair_o5", "g_pair_o6", "g_pair_o7",
				   "g_pair_o8", "g_pair_o9", "g_pair_o10"};
	wl_u32 A = WL_ARENA_PAGES;
	int o;
	wl_pair("a_pair0", 0, 200000 / scale, 15);
	wl_depth("a_depth64", 64, 128000 / scale, 9);
	for (o = 0; o <= 10; o++)
		wl_pair(pn[o], o, 30000 / scale, 5);
	wl_bulk("b_bulk_alloc", "b_bulk_free", A / 2, 4);
	wl_mixed("c_mixed", (A / 10) * 8, 0, 10, 0xABCDEF0123456789ull, 600000 / scale);
	wl_mixed("c_mixed4_10", (A / 10) * 8, 4, 10, 0x1234567890ABCDEFull, 400000 / scale);
	wl_mixed("c_order0_steady", (A / 10) * 8, 0, 0, 0x0F1E2D3C4B5A6978ull, 600000 / scale);
}

#endif
