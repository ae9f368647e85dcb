/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of an HTML text without its markup: not for people, but to see whether there is
 * anything in it that text/plain would have, such as an armour that a program put into HTML.
 */
#ifndef SEALPOST_LIB_MAIL_HTMLTEXT_H
#define SEALPOST_LIB_MAIL_HTMLTEXT_H

#include <glib.h>

/* Tags that break a line become line ends, other tags go; so do comments, styles and scripts with
 * what they hold. References to ASCII characters and no-break spaces are undone, others stay.
 * html: any charset that holds ASCII. New string, never longer than html. */
char *html_text(const char *html);

#endif
