/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gate.h"

#define PATIENCE (60 * G_TIME_SPAN_SECOND)

static GMutex lock;
static GCond changed;
static gboolean is_shut;
static guint came, allowed, chosen; /* from 1 */

static void set(gboolean shut)
{
    g_mutex_lock(&lock);
    is_shut = shut;
    came = shut ? 0 : came;
    allowed = chosen = 0;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

void gate_shut(void)
{
    set(TRUE);
}

void gate_open(void)
{
    set(FALSE);
}

void gate_let(guint n)
{
    g_mutex_lock(&lock);
    allowed += n;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

void gate_let_one(guint n)
{
    g_mutex_lock(&lock);
    chosen = n;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

guint gate_came(void)
{
    g_mutex_lock(&lock);
    const guint n = came;
    g_mutex_unlock(&lock);
    return n;
}

void gate_wait_came(guint n)
{
    const gint64 end = g_get_monotonic_time() + PATIENCE;

    g_mutex_lock(&lock);
    while (came < n)
        if (!g_cond_wait_until(&changed, &lock, end))
            g_error("%u runs of the network came, not %u", came, n);
    g_mutex_unlock(&lock);
}

void gate_pass(void)
{
    g_mutex_lock(&lock);
    const guint ticket = ++came;
    g_cond_broadcast(&changed);
    while (is_shut && ticket > allowed && ticket != chosen)
        g_cond_wait(&changed, &lock);
    g_mutex_unlock(&lock);
}
