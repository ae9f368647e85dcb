/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed messages in the database (see vault.h). A message's chunks are read one at a time, each
 * by a query of its own, so that a slow download never holds the database.
 */
#include "portal/vault.h"

#include "lib/base/error.h"
#include "lib/crypt/seal.h"
#include "portal/token.h"

#define MESSAGE_COLUMNS                                                                            \
	"number, id, recipient, created, expires, size, subject, sender, sender_name, "            \
	"stream_header, key_for_link, key_for_account, code_hash, revealed IS NOT NULL, "          \
	"EXISTS (SELECT 1 FROM event WHERE event.message = message.number AND kind = 'untold')"

void vault_message_free(VaultMessage *message)
{
	if (message == NULL)
		return;
	g_free(message->id);
	g_free(message->recipient);
	g_clear_pointer(&message->subject, g_bytes_unref);
	g_clear_pointer(&message->sender, g_bytes_unref);
	g_clear_pointer(&message->sender_name, g_bytes_unref);
	g_clear_pointer(&message->stream_header, g_bytes_unref);
	g_clear_pointer(&message->key_for_link, g_bytes_unref);
	g_clear_pointer(&message->key_for_account, g_bytes_unref);
	g_free(message->code_hash);
	g_free(message);
}

const char *vault_state_name(const VaultMessage *message)
{
	if (message->untold && message->state != VAULT_READ)
		return "untold";
	switch (message->state) {
	case VAULT_WAITING: return "waiting";
	case VAULT_KEPT: return "unread";
	case VAULT_READ: return "read";
	}
	return "unknown";
}

typedef struct {
	const Secret *key;
	const char *id;
	gint64 size;
	GBytes *header;
} NewMessage;

static char *code_hash(const Secret *link, const char *code)
{
	return token_mac(link, "portal code", code, "");
}

/* The row without its chunks; who may open it is decided here, once. */
static gboolean insert_message(Db *db, const VaultEntry *entry, const NewMessage *message,
			       GError **error)
{
	g_autoptr(GBytes) subject = seal_text(message->key, "subject", entry->subject);
	g_autoptr(GBytes) sender = seal_text(message->key, "sender", entry->sender);
	g_autoptr(GBytes) name = seal_text(message->key, "sender-name", entry->sender_name);
	g_autoptr(GBytes) for_link = NULL;
	g_autoptr(GBytes) for_account = NULL;
	g_autofree char *link_hash = NULL;
	g_autofree char *code = NULL;

	g_assert((entry->link != NULL) != (entry->public_key != NULL));
	if (entry->link != NULL) {
		for_link = seal_wrap_for_link(message->key, entry->link);
		link_hash = seal_link_hash(entry->link);
		code = code_hash(entry->link, entry->code);
	} else {
		for_account = seal_to_account(message->key, entry->public_key, error);
		if (for_account == NULL)
			return FALSE;
	}
	return db_run(db, NULL, error,
		      "INSERT INTO message (id, recipient, digest, created, expires, size, subject,"
		      " sender, sender_name, stream_header, link_hash, key_for_link,"
		      " key_for_account, code_hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		      "sssiiibbbbsbbs", message->id, entry->recipient, entry->digest,
		      entry->created, entry->expires, message->size, subject, sender, name,
		      message->header, link_hash, for_link, for_account, code);
}

static gboolean find_number(Db *db, const char *id, gint64 *number, GError **error)
{
	g_autoptr(DbQuery) query =
		db_query(db, error, "SELECT number FROM message WHERE id = ?", "s", id);
	g_autoptr(GError) failure = NULL;

	if (query == NULL)
		return FALSE;
	if (!db_next(query, &failure)) {
		if (failure == NULL)
			g_set_error(error, SEALPOST_ERROR, ERROR_STORE, "a new message is missing");
		else
			g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	*number = db_int(query, 0);
	return TRUE;
}

/* Fills buffer as far as the source has bytes: a chunk is full, or it is the last one. */
static gssize read_full(Source *source, guint8 *buffer, gsize size, GError **error)
{
	gsize filled = 0;

	while (filled < size) {
		gssize got = source_read(source, buffer + filled, size - filled, error);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		filled += got;
	}
	return filled;
}

static gboolean store_chunks(Db *db, gint64 message, SealWriter *writer, Source *source,
			     GError **error)
{
	g_autoptr(Secret) plain = secret_new(SEAL_CHUNK);
	goffset left = source_length(source);
	gint64 number = 0;
	gboolean last = FALSE;

	while (!last) {
		gssize got = read_full(source, secret_data(plain), SEAL_CHUNK, error);
		g_autoptr(GBytes) chunk = NULL;

		if (got < 0)
			return FALSE;
		left -= got;
		last = left == 0;
		if (left < 0 || (got < SEAL_CHUNK && !last)) {
			g_set_error(error, SEALPOST_ERROR, ERROR_IO,
				    "the message is not as long as announced");
			return FALSE;
		}
		chunk = seal_writer_chunk(writer, secret_bytes(plain), got, last);
		if (!db_run(db, NULL, error,
			    "INSERT INTO chunk (message, number, bytes) VALUES (?,?,?)", "iib",
			    message, number++, chunk))
			return FALSE;
	}
	return TRUE;
}

gboolean vault_store(Db *db, const VaultEntry *entry, Source *message, VaultStored *stored,
		     GError **error)
{
	g_autoptr(Secret) key = secret_random(SEAL_KEY_SIZE);
	g_autoptr(GBytes) header = NULL;
	g_autoptr(SealWriter) writer = seal_writer_new(key, &header);
	g_autofree char *id = token_new_id();
	NewMessage row = {key, id, source_length(message), header};
	gint64 number = 0;

	if (!source_rewind(message, error) || !insert_message(db, entry, &row, error) ||
	    !find_number(db, id, &number, error) ||
	    !store_chunks(db, number, writer, message, error))
		return FALSE;
	stored->number = number;
	stored->id = g_steal_pointer(&id);
	return TRUE;
}

static VaultMessage *read_row(DbQuery *query)
{
	VaultMessage *message = g_new0(VaultMessage, 1);

	message->number = db_int(query, 0);
	message->id = g_strdup(db_text(query, 1));
	message->recipient = g_strdup(db_text(query, 2));
	message->created = db_int(query, 3);
	message->expires = db_int(query, 4);
	message->size = db_int(query, 5);
	message->subject = db_bytes(query, 6);
	message->sender = db_bytes(query, 7);
	message->sender_name = db_bytes(query, 8);
	message->stream_header = db_bytes(query, 9);
	message->key_for_link = db_bytes(query, 10);
	message->key_for_account = db_bytes(query, 11);
	message->code_hash = g_strdup(db_text(query, 12));
	message->untold = db_int(query, 14) != 0;
	if (message->key_for_account == NULL)
		message->state = VAULT_WAITING;
	else
		message->state = db_int(query, 13) ? VAULT_READ : VAULT_KEPT;
	return message;
}

gboolean vault_code_is(const VaultMessage *message, const Secret *link, const char *code)
{
	g_autofree char *digits = token_digits(code);
	g_autofree char *hash = code_hash(link, digits);

	return token_equal(hash, message->code_hash);
}

static gboolean find(Db *db, const char *sql, const char *value, VaultMessage **message,
		     GError **error)
{
	g_autoptr(DbQuery) query = db_query(db, error, sql, "s", value);
	gboolean there;

	if (!db_row(query, &there, error))
		return FALSE;
	*message = there ? read_row(query) : NULL;
	return TRUE;
}

gboolean vault_find_link(Db *db, const char *link_hash, VaultMessage **message, GError **error)
{
	return find(db, "SELECT " MESSAGE_COLUMNS " FROM message WHERE link_hash = ?", link_hash,
		    message, error);
}

gboolean vault_find_id(Db *db, const char *id, VaultMessage **message, GError **error)
{
	return find(db, "SELECT " MESSAGE_COLUMNS " FROM message WHERE id = ?", id, message, error);
}

GPtrArray *vault_list(Db *db, const char *recipient, gint64 below, GError **error)
{
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)vault_message_free);
	g_autoptr(GError) failure = NULL;
	g_autoptr(DbQuery) query =
		recipient != NULL
			? db_query(db, error,
				   "SELECT " MESSAGE_COLUMNS " FROM message WHERE recipient = ?"
				   " AND number < ? ORDER BY number DESC LIMIT ?",
				   "sii", recipient, below, (gint64)VAULT_LIST_MAX)
			: db_query(db, error,
				   "SELECT " MESSAGE_COLUMNS " FROM message"
				   " WHERE number < ? ORDER BY number DESC LIMIT ?",
				   "ii", below, (gint64)VAULT_LIST_MAX);

	if (query == NULL)
		return NULL;
	while (db_next(query, &failure))
		g_ptr_array_add(list, read_row(query));
	if (failure != NULL) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	return g_steal_pointer(&list);
}

static GBytes *read_chunk(Db *db, gint64 message, gint64 number, GError **error)
{
	g_autoptr(DbQuery) query =
		db_query(db, error, "SELECT bytes FROM chunk WHERE message = ? AND number = ?",
			 "ii", message, number);
	g_autoptr(GError) failure = NULL;

	if (query == NULL)
		return NULL;
	if (db_next(query, &failure))
		return db_bytes(query, 0);
	if (failure != NULL)
		g_propagate_error(error, g_steal_pointer(&failure));
	else
		g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "the message has no end");
	return NULL;
}

void vault_texts_clear(VaultTexts *texts)
{
	g_free(texts->subject);
	g_free(texts->sender);
	g_free(texts->sender_name);
}

gboolean vault_texts(const VaultMessage *message, const Secret *key, VaultTexts *texts,
		     GError **error)
{
	g_auto(VaultTexts) read = {0};

	read.subject = seal_text_open(key, "subject", message->subject, error);
	if (read.subject != NULL)
		read.sender = seal_text_open(key, "sender", message->sender, error);
	if (read.sender != NULL)
		read.sender_name = seal_text_open(key, "sender-name", message->sender_name, error);
	if (read.sender_name == NULL)
		return FALSE;
	*texts = read;
	read = (VaultTexts){0};
	return TRUE;
}

gboolean vault_open(Db *db, const VaultMessage *message, const Secret *key, Sink *sink,
		    GError **error)
{
	g_autoptr(SealReader) reader = seal_reader_new(key, message->stream_header, error);
	gboolean last = FALSE;

	if (reader == NULL)
		return FALSE;
	for (gint64 number = 0; !last; number++) {
		g_autoptr(GBytes) sealed = read_chunk(db, message->number, number, error);
		g_autoptr(GBytes) plain = NULL;
		gconstpointer data;
		gsize size;

		if (sealed == NULL)
			return FALSE;
		plain = seal_reader_chunk(reader, sealed, &last, error);
		if (plain == NULL)
			return FALSE;
		data = g_bytes_get_data(plain, &size);
		if (!sink_write(sink, data, size, error))
			return FALSE;
	}
	return TRUE;
}

gboolean vault_claim(Db *db, gint64 number, GBytes *key_for_account, GError **error)
{
	return db_run(db, NULL, error,
		      "UPDATE message SET key_for_account = ?, key_for_link = NULL"
		      " WHERE number = ? AND key_for_account IS NULL",
		      "bi", key_for_account, number);
}

gboolean vault_event(Db *db, gint64 number, const char *kind, GError **error)
{
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	if (!db_run(db, NULL, error, "INSERT INTO event (time, message, kind) VALUES (?,?,?)",
		    "iis", now, number, kind))
		return FALSE;
	if (!g_str_equal(kind, "revealed"))
		return TRUE;
	return db_run(db, NULL, error,
		      "UPDATE message SET revealed = ? WHERE number = ? AND revealed IS NULL", "ii",
		      now, number);
}

gboolean vault_first_event(Db *db, gint64 number, const char *kind, GError **error)
{
	g_autoptr(DbQuery) query =
		db_query(db, error, "SELECT 1 FROM event WHERE message = ? AND kind = ?", "is",
			 number, kind);
	gboolean there;

	if (!db_row(query, &there, error))
		return FALSE;
	g_clear_pointer(&query, db_query_free);
	/* only who has to write waits for others that do; they may have been faster */
	return there ||
	       db_run(db, NULL, error,
		      "INSERT INTO event (time, message, kind) SELECT ?, ?, ? WHERE NOT EXISTS"
		      " (SELECT 1 FROM event WHERE message = ? AND kind = ?)",
		      "iisis", g_get_real_time() / G_USEC_PER_SEC, number, kind, number, kind);
}

static void event_free(gpointer data)
{
	VaultEvent *event = data;

	g_free(event->kind);
	g_free(event);
}

GPtrArray *vault_events(Db *db, gint64 number, GError **error)
{
	g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func(event_free);
	g_autoptr(GError) failure = NULL;
	g_autoptr(DbQuery) query =
		db_query(db, error, "SELECT time, kind FROM event WHERE message = ? ORDER BY rowid",
			 "i", number);

	if (query == NULL)
		return NULL;
	while (db_next(query, &failure)) {
		VaultEvent *event = g_new0(VaultEvent, 1);

		event->time = db_int(query, 0);
		event->kind = g_strdup(db_text(query, 1));
		g_ptr_array_add(events, event);
	}
	if (failure != NULL) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	return g_steal_pointer(&events);
}

gboolean vault_expire(Db *db, gint64 now, int *count, GError **error)
{
	/* many small ones, or a large one */
	static const char *const steps[] = {
		"DELETE FROM message WHERE number IN (SELECT number FROM message"
		" WHERE expires <= ? AND size < 65536 LIMIT 100)",
		"DELETE FROM message WHERE number IN (SELECT number FROM message"
		" WHERE expires <= ? LIMIT 1)",
	};

	*count = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(steps);) {
		int deleted = 0;

		if (!db_run(db, &deleted, error, steps[i], "i", now))
			return FALSE;
		*count += deleted;
		i += deleted == 0;
	}
	return TRUE;
}
