/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed messages in the database: put in, found, claimed, opened chunk by chunk, expired. The
 * vault sees keys only while it seals or opens; it keeps none. "No such message" is a result
 * (*message NULL), not an error.
 */
#ifndef SEALPOST_PORTAL_VAULT_H
#define SEALPOST_PORTAL_VAULT_H

#include "lib/base/db.h"
#include "lib/base/secret.h"
#include "lib/mail/stream.h"

/* Most messages in one list. */
#define VAULT_LIST_MAX 100

/* What stands beside the sealed bytes. Exactly one of link and public_key is set: who may open. */
typedef struct {
	const char *recipient; /* folded */
	const char *digest; /* keyed hash; unique with recipient */
	const char *subject;
	const char *sender;
	const char *sender_name;
	gint64 created;
	gint64 expires;
	const Secret *link;
	const char *code; /* stands beside the link; NULL without a link */
	GBytes *public_key;
} VaultEntry;

typedef enum {
	VAULT_WAITING, /* only its link opens it */
	VAULT_KEPT, /* belongs to an account */
	VAULT_READ, /* and was shown to it */
} VaultState;

typedef struct {
	gint64 number; /* for logs and the audit trail */
	char *id; /* for URLs */
	char *recipient;
	gint64 created;
	gint64 expires;
	gint64 size;
	VaultState state;
	GBytes *subject; /* sealed, see vault_texts() */
	GBytes *sender;
	GBytes *sender_name;
	GBytes *stream_header;
	GBytes *key_for_link; /* NULL once claimed */
	GBytes *key_for_account; /* NULL until claimed */
	gboolean untold; /* its notice could not be delivered */
	char *code_hash; /* see vault_code_is(); NULL: there is none to be asked for */
} VaultMessage;

void vault_message_free(VaultMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VaultMessage, vault_message_free)

/* "waiting", "unread", "read"; "untold" where nobody has read it and its notice was refused. */
const char *vault_state_name(const VaultMessage *message);

/* What a message became: its number and its id (the caller frees it). */
typedef struct {
	gint64 number;
	char *id;
} VaultStored;

/* Seals message under a new key and stores it, inside the caller's transaction. */
gboolean vault_store(Db *db, const VaultEntry *entry, Source *message, VaultStored *stored,
		     GError **error);

/* Is this the code that came with the link? In any spelling: only its digits count. */
gboolean vault_code_is(const VaultMessage *message, const Secret *link, const char *code);

gboolean vault_find_link(Db *db, const char *link_hash, VaultMessage **message, GError **error);
gboolean vault_find_id(Db *db, const char *id, VaultMessage **message, GError **error);
/* The newest first, of those with a lower number than below; recipient NULL: everybody's. An array
 * of VaultMessage *; with VAULT_LIST_MAX of them there may be more. NULL on error. */
GPtrArray *vault_list(Db *db, const char *recipient, gint64 below, GError **error);

/* The texts of a message's metadata, opened. */
typedef struct {
	char *subject; /* "" if there is none */
	char *sender; /* the address */
	char *sender_name; /* "" if there is none */
} VaultTexts;
void vault_texts_clear(VaultTexts *texts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VaultTexts, vault_texts_clear)
gboolean vault_texts(const VaultMessage *message, const Secret *key, VaultTexts *texts,
		     GError **error);

/* Opens all of it into sink. ERROR_CRYPTO if a bit differs or the end is missing. */
gboolean vault_open(Db *db, const VaultMessage *message, const Secret *key, Sink *sink,
		    GError **error);

/* The message changes hands: from now on only the account's key opens it. */
gboolean vault_claim(Db *db, gint64 number, GBytes *key_for_account, GError **error);

/* Writes to the audit trail; "revealed" also makes the message VAULT_READ. */
gboolean vault_event(Db *db, gint64 number, const char *kind, GError **error);
/* The same if there is no event of that kind yet. */
gboolean vault_first_event(Db *db, gint64 number, const char *kind, GError **error);
typedef struct {
	gint64 time;
	char *kind; /* "untold", "opened" (its link), "claimed", "revealed", "downloaded" */
} VaultEvent;
/* A message's events in their order: an array of VaultEvent *. NULL on error. */
GPtrArray *vault_events(Db *db, gint64 number, GError **error);

/* Deletes what expired before now, step by step: others get their turn in between, and a disk that is
 * almost full has room for each. */
gboolean vault_expire(Db *db, gint64 now, int *count, GError **error);

#endif
