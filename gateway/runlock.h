/* SPDX-License-Identifier: Apache-2.0
 *
 * One gateway in one runtime folder: a second one there would delete the first one's secret keys from
 * GnuPG's working copy and end its agent.
 */
#ifndef SEALPOST_GATEWAY_RUNLOCK_H
#define SEALPOST_GATEWAY_RUNLOCK_H

#include <glib.h>

/* Before the start has touched anything of another gateway (its socket). Makes nothing. ERROR_CONFIG
 * if the folder is taken. */
gboolean runlock_is_free(const char *folder, GError **error);
/* Takes the folder, which must exist. A descriptor that holds it until it is closed, or the process
 * ends, however it does; -1 on error. */
int runlock_take(const char *folder, GError **error);

#endif
