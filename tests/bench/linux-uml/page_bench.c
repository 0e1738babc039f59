// SPDX-License-Identifier: GPL-2.0
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/reboot.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>
unsigned int pgb_dummy_lock;
typedef struct page *wl_h;
#define WL_NULL NULL
#define WL_PFN(h) page_to_pfn(h)
static gfp_t pg_gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;
#define wl_alloc(cpu, o) alloc_pages(pg_gfp, (o))
#define wl_free(cpu, h, o) __free_pages((h), (o))
static void *wl_mem(unsigned long long n)
{
	return vzalloc(n);
}
static void wl_memfree(void *p, unsigned long long n)
{
	vfree(p);
}
static void wl_emit(const char *name, unsigned ops, unsigned long long cyc,
		    unsigned long long fails)
{
	printk("R %s %u %llu %llu\n", name, ops, cyc, fails);
}
#include "workloads.h"
static int pgb_on, pgb_scale = 1;
static unsigned long pgb_arena = 262144;
static int __init pgb_setup(char *s)
{
	pgb_on = 1;
	if (s && *s)
		pgb_scale = simple_strtoul(s, NULL, 0);
	if (pgb_scale < 1)
		pgb_scale = 1;
	return 1;
}
__setup("pgbench=", pgb_setup);
static struct page *hold[4096];
static int nhold;
static void trim(unsigned long want)
{
	while (nhold < 4096 && global_zone_page_state(NR_FREE_PAGES) > want + 1024) {
		struct page *p = alloc_pages(GFP_NOWAIT | __GFP_NOWARN, 10);
		if (!p)
			break;
		hold[nhold++] = p;
	}
}
#ifdef CONFIG_SMP
/* (e) two threads */
struct eth {
	int cpu, mode;
	struct wl_stream st;
	u64 *cyc;
	unsigned n;
	struct completion done;
	struct task_struct *t;
};
static atomic_t e_ready;
static int e_n;
static volatile int e_stop;
static int e_fn(void *v)
{
	struct eth *e = v;
	u64 f = 0, t0;
	unsigned i;
	struct wl_stream *st = &e->st;
	unsigned pos = 0;
	if (e->mode) {
		wl_run(0, st->ops, st->warm, st->slot, &f);
		pos = st->warm;
	}
	atomic_inc(&e_ready);
	while (atomic_read(&e_ready) < e_n) {
		cond_resched();
		cpu_relax();
	}
	for (e->n = 0; e->n < 200 && !e_stop;) {
		if (!e->mode) {
			t0 = wl_tsc();
			for (i = 0; i < CH; i++) {
				wl_h h = wl_alloc(0, 0);
				if (h)
					wl_free(0, h, 0);
			}
			e->cyc[e->n++] = wl_tsc() - t0;
		} else {
			if (pos + CH > st->total)
				break;
			t0 = wl_tsc();
			wl_run(0, st->ops + pos, CH, st->slot, &f);
			e->cyc[e->n++] = wl_tsc() - t0;
			pos += CH;
		}
		cond_resched();
	}
	e_stop = 1;
	if (e->mode)
		wl_drain(0, st, pos);
	complete(&e->done);
	return 0;
}
static void e_go(const char *name, int nth, int mode, int minO, int maxO)
{
	static struct eth e[2];
	int i;
	unsigned j;
	atomic_set(&e_ready, 0);
	e_n = nth;
	e_stop = 0;
	for (i = 0; i < nth; i++) {
		e[i].cpu = i;
		e[i].mode = mode;
		e[i].cyc = vzalloc(200 * 8);
		init_completion(&e[i].done);
		if (mode && wl_mk(&e[i].st, (WL_ARENA_PAGES / 10) * 4, minO, maxO,
				  0xABCDEF01234567ull * (i + 1), 1200000))
			return;
		e[i].t = kthread_create(e_fn, &e[i], "pgb%d", i);
		kthread_bind(e[i].t, i);
	}
	for (i = 0; i < nth; i++)
		wake_up_process(e[i].t);
	for (i = 0; i < nth; i++)
		wait_for_completion(&e[i].done);
	for (i = 0; i < nth; i++) {
		for (j = 0; j < e[i].n; j++)
			wl_emit(name, CH, e[i].cyc[j], 0);
		vfree(e[i].cyc);
		if (mode)
			wl_rm(&e[i].st);
	}
}
#endif
static void frag_kernel(void)
{ /* as wl_frag, but the failing order-1 request is GFP_KERNEL|NORETRY (direct reclaim/compaction
   * attempted)
   */
	wl_h *a = vzalloc(300000 * 8), h;
	unsigned n = 0, k = 0, q, r, m = 0;
	u64 t;
	static wl_h b[20000];
	if (!a)
		return;
	pg_gfp = GFP_NOWAIT | __GFP_NOWARN;
	while (n < 300000 && (a[n] = alloc_pages(pg_gfp, 0)))
		n++;
	for (q = 0; q < n; q++)
		if (page_to_pfn(a[q]) & 1)
			__free_pages(a[q], 0);
		else
			a[k++] = a[q];
	while (m < 20000 && (h = alloc_pages(pg_gfp, 1)))
		b[m++] = h;
	pg_gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;
	for (r = 0; r < 5; r++) {
		unsigned f = 0;
		t = wl_tsc();
		for (q = 0; q < 20; q++) {
			h = alloc_pages(pg_gfp, 1);
			if (h)
				__free_pages(h, 1);
			else
				f++;
		}
		t = wl_tsc() - t;
		wl_emit("d_order1_fail_KERNEL_NORETRY", 20, t, f);
	}
	while (m)
		__free_pages(b[--m], 1);
	while (k)
		__free_pages(a[--k], 0);
	vfree(a);
}
static int pgb_thread(void *u)
{
	u64 t0, n0;
	int i;
#ifdef CONFIG_SMP
	set_cpus_allowed_ptr(current, cpumask_of(0));
#endif
	t0 = wl_tsc();
	n0 = ktime_get_ns();
	mdelay(200);
	printk("TSCKHZ %llu\n", (wl_tsc() - t0) * 1000000 / (ktime_get_ns() - n0));
	printk("INFO free=%lu sizeof_page=%zu managed=%lu\n", global_zone_page_state(NR_FREE_PAGES),
	       sizeof(struct page), totalram_pages());
	trim(pgb_arena);
	printk("INFO free after trim=%lu\n", global_zone_page_state(NR_FREE_PAGES));
	wl_all(pgb_scale);
#ifdef CONFIG_SMP
	if (num_online_cpus() > 1)
		for (i = 0; i < 2; i++) {
			e_go("e_a1", 1, 0, 0, 0);
			e_go("e_a2", 2, 0, 0, 0);
			e_go("e_c1", 1, 1, 0, 10);
			e_go("e_c2", 2, 1, 0, 10);
			e_go("e_c0_1", 1, 1, 0, 0);
			e_go("e_c0_2", 2, 1, 0, 0);
			e_go("e_c4_1", 1, 1, 4, 10);
			e_go("e_c4_2", 2, 1, 4, 10);
		}
#endif
	{ /* bulk API */
		static struct page *a[64];
		unsigned j, k, r;
		for (r = 0; r < 5; r++) {
			u64 c = 0, d = 0;
			unsigned n = 0;
			for (j = 0; j < 1000; j++) {
				u64 t = wl_tsc();
				memset(a, 0, sizeof(a));
				k = alloc_pages_bulk_array(GFP_KERNEL, 64, a);
				c += wl_tsc() - t;
				n += k;
				t = wl_tsc();
				while (k)
					__free_pages(a[--k], 0);
				d += wl_tsc() - t;
			}
			wl_emit("x_bulkapi64_alloc", n, c, 0);
			wl_emit("x_bulkapi64_free", n, d, 0);
		}
	}
	pg_gfp = GFP_NOWAIT | __GFP_NOWARN;
	wl_frag(300000);
	frag_kernel();
	printk("PGB DONE\n");
	kernel_power_off();
	return 0;
}
static int __init pgb_init(void)
{
	if (pgb_on)
		kthread_run(pgb_thread, NULL, "pgb");
	if (pgb_on)
		while (1)
			schedule_timeout_uninterruptible(HZ);
	return 0;
}
late_initcall(pgb_init);
