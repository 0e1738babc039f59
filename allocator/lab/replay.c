/* SPDX-License-Identifier: GPL-2.0-or-later */
typedef int not_empty_yet;
