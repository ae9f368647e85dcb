/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages. Each is a function from a visit to an answer; NULL with error set becomes an error
 * page. One file page_*.c per group.
 */
#ifndef SEALPOST_PORTAL_PAGE_H
#define SEALPOST_PORTAL_PAGE_H

#include "portal/vault.h"
#include "portal/visit.h"

typedef Response *(*Page)(Visit *visit, GError **error);

/* page_link.c: what a notice's link leads to. GET shows a form, POST opens. */
Response *page_link(Visit *visit, GError **error);
Response *page_link_open(Visit *visit, GError **error);
/* page_login.c */
Response *page_login(Visit *visit, GError **error);
Response *page_login_check(Visit *visit, GError **error);
Response *page_logout(Visit *visit, GError **error);
Response *page_logged_out(Visit *visit, GError **error);
/* page_password.c */
Response *page_password(Visit *visit, GError **error);
Response *page_password_change(Visit *visit, GError **error);
Response *page_password_changed(Visit *visit, GError **error);
/* page_list.c */
Response *page_list(Visit *visit, GError **error);
/* page_message.c */
Response *page_message(Visit *visit, GError **error);
Response *page_message_html(Visit *visit, GError **error);
/* page_download.c */
Response *page_download(Visit *visit, GError **error);
Response *page_download_whole(Visit *visit, GError **error);
/* page_static.c */
Response *page_style(Visit *visit, GError **error);
Response *page_icon(Visit *visit, GError **error);
Response *page_robots(Visit *visit, GError **error);

/* What they share (page.c). */

/* Values with what every page has: organisation, form token, action (the request's path),
 * minimum (characters of a password). */
Values *page_values(const Visit *visit);
/* The template inside the layout; title is a key of the catalogue. */
Response *page_render(const Visit *visit, guint status, const char *template, Values *values,
		      const char *title);
/* A page that says what is wrong, by a key of the catalogue: KEY.title, KEY.text, and KEY.again if
 * a link shall lead to the same path by GET. */
Response *page_error(const Visit *visit, guint status, const char *key);

/* Puts the fields of a new password, that one and "repeated", into a form. */
void page_set_new_password(Values *values, const char *field);
/* What is wrong with the form's new password, which that field and "repeated" have: a key of the
 * catalogue; NULL if it is good. */
const char *page_password_problem(const Visit *visit, const char *field, const char *address);
/* Puts a problem, by its key, above a form; NULL: none. */
void page_set_alert(Values *values, const char *problem);

/* The message of that id that belongs to who is logged in, opened; NULL with error unset if there
 * is none. A reference. */
Letter *page_letter(Visit *visit, const char *id, GError **error);

#endif
