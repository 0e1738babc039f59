/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_view: proc/ as Linux 6.12 prints it. */
#ifndef KERNEL_VIEW_H
#define KERNEL_VIEW_H

#include "native/native.h"

show_fn proc_buddyinfo, proc_pagetypeinfo, proc_zoneinfo, proc_vmstat, proc_meminfo, node_meminfo,
	node_vmstat, proc_swaps, page_cluster_show, swap_stat,
	sysctl_show;
store_fn sysctl_store, page_cluster_store;

#endif
