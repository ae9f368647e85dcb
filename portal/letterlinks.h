/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain text as HTML: escaped, and web addresses in it as links that open a window of their own.
 * Pure.
 */
#ifndef SEALPOST_PORTAL_LETTERLINKS_H
#define SEALPOST_PORTAL_LETTERLINKS_H

/* New string. */
char *letterlinks_html(const char *text);

#endif
