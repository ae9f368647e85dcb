/* SPDX-License-Identifier: Apache-2.0
 *
 * What was costly to find out, kept by name for a while. Thread-safe.
 */
#ifndef SEALPOST_LIB_BASE_KEPT_H
#define SEALPOST_LIB_BASE_KEPT_H

#include <glib.h>

typedef struct Kept Kept;

/* A new reference to the value. */
typedef gpointer (*KeptRef)(gpointer value);

/* max: most values; a full table is emptied. ref and unref: of the values (NULL for both: the values
 * are always NULL, the name alone counts). */
Kept *kept_new(guint max, KeptRef ref, GDestroyNotify unref);
void kept_free(Kept *kept);

/* TRUE: something is kept under that name. *value (NULL: not wanted) gets a new reference to it, or
 * NULL where that was kept. */
gboolean kept_find(Kept *kept, const char *name, gpointer *value);
/* Keeps a reference of its own to value until then (g_get_monotonic_time(); G_MAXINT64: for good).
 * What is over goes. */
void kept_put(Kept *kept, const char *name, gpointer value, gint64 until);

#endif
