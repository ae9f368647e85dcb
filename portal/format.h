/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates, sizes and names as people read them.
 */
#ifndef SEALPOST_PORTAL_FORMAT_H
#define SEALPOST_PORTAL_FORMAT_H

#include "lib/base/conf.h"
#include "portal/template.h"

/* "25. November 2026", "25 November 2026"; with the time of day in the second form. New
 * strings, in the machine's time zone. */
char *format_date(const Values *values, gint64 time);
char *format_date_time(const Values *values, gint64 time);
/* "3,4 MB", "812 KB", "17 Bytes". */
char *format_size(const Values *values, gint64 size);
/* RFC 5322, section 3.3, whatever the locale. */
char *format_rfc5322_date(GDateTime *time);
/* [portal] organisation, or the domain of [portal] sender. */
char *format_organisation(const Conf *conf);

#endif
