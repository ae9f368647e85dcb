/* SPDX-License-Identifier: Apache-2.0
 *
 * A message that was opened for reading: its bytes in a spool (memory or an unlinked file), what
 * to show of it, and its attachments. Thread-safe: several downloads of one session share it.
 */
#ifndef SEALPOST_PORTAL_LETTER_H
#define SEALPOST_PORTAL_LETTER_H

#include "lib/base/secret.h"
#include "lib/mail/spool.h"
#include "portal/vault.h"

#define LETTER_BODIES_MAX 20 /* texts that are shown; the rest are attachments */
#define LETTER_HTML_MAX (2 * 1024 * 1024) /* of one HTML text; the whole is in the download */
#define LETTER_PLAIN_MAX (512 * 1024) /* of the plain texts of one page, together */
#define LETTER_IMAGE_MAX (4 * 1024 * 1024) /* of one picture inside HTML */
#define LETTER_IMAGES_MAX (16 * 1024 * 1024) /* of all of them */
#define LETTER_NAME_MAX 150 /* characters of a file name, */
#define LETTER_ENDING_MAX 12 /* of these of the ending, with its dot */

typedef struct Letter Letter;

typedef struct {
	char *number; /* "1.2": of the part */
	char *type; /* media type */
	char *name; /* file name; never empty for attachments */
	gint64 size; /* decoded; attachments only */
	gboolean html;
	gboolean cut; /* HTML that is too long: only its beginning is shown */
	char *fallback; /* an HTML body's plain alternative: the number of that part; or NULL */
} LetterPart;

/* Opens it with its key. folder: for the spool. */
Letter *letter_open(Db *db, const VaultMessage *message, const Secret *key, const char *folder,
		    GError **error);
/* Called with data when the last reference goes. */
void letter_at_end(Letter *letter, GDestroyNotify call, gpointer data);
Letter *letter_ref(Letter *letter);
void letter_unref(Letter *letter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Letter, letter_unref)

gint64 letter_number(const Letter *letter);
const char *letter_subject(const Letter *letter); /* "" if there is none */
const char *letter_sender(const Letter *letter); /* name and address, or the address */
gint64 letter_created(const Letter *letter);

/* What to show, in order; what to offer as files. Arrays of LetterPart *, borrowed. */
GPtrArray *letter_bodies(const Letter *letter);
GPtrArray *letter_attachments(const Letter *letter);

/* A body, or the plain form of one, as UTF-8 text of at most limit bytes; *cut: it is longer. NULL
 * with error unset if there is no such body. New string. */
char *letter_text(Letter *letter, const char *number, gsize limit, gboolean *cut, GError **error);
/* An HTML body as UTF-8, with the pictures that it names by cid: put into it. A reference; NULL as
 * above. */
Spool *letter_html(Letter *letter, const char *number, GError **error);

/* An attachment's decoded bytes; *part tells name and type (borrowed). NULL with error unset if
 * there is no such attachment. */
Spool *letter_download(Letter *letter, const char *number, const LetterPart **part, GError **error);
/* The whole message as it was. Borrowed. */
Spool *letter_whole(const Letter *letter);

#endif
