/* SPDX-License-Identifier: Apache-2.0
 *
 * The sessions (see session.h).
 */
#include "portal/session.h"

#include <string.h>

#include "lib/base/error.h"
#include "portal/token.h"

struct Session {
	gatomicrefcount references;
	char *address;
	GBytes *public_key;
	GBytes *wrapped_private; /* as it was stored: a new password makes another one */
	Secret *private_key;
	gint64 started;
	gint64 seen; /* under the Sessions' lock */
	GMutex lock;
	Letter *letter;
};

struct Sessions {
	GMutex lock;
	GHashTable *sessions; /* token's hash -> Session */
	Secret *key; /* of the hash: a copy of the table gives no tokens */
	gint64 idle;
};

static gint64 now_seconds(void)
{
	return g_get_monotonic_time() / G_USEC_PER_SEC;
}

Session *session_ref(Session *session)
{
	g_atomic_ref_count_inc(&session->references);
	return session;
}

void session_unref(Session *session)
{
	if (session == NULL || !g_atomic_ref_count_dec(&session->references))
		return;
	g_free(session->address);
	g_bytes_unref(session->public_key);
	g_bytes_unref(session->wrapped_private);
	secret_free(session->private_key);
	letter_unref(session->letter);
	g_mutex_clear(&session->lock);
	g_free(session);
}

Sessions *sessions_new(gint64 idle)
{
	Sessions *sessions = g_new0(Sessions, 1);

	g_mutex_init(&sessions->lock);
	sessions->sessions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						   (GDestroyNotify)session_unref);
	sessions->key = secret_random(TOKEN_BYTES);
	sessions->idle = idle;
	return sessions;
}

void sessions_free(Sessions *sessions)
{
	if (sessions == NULL)
		return;
	g_hash_table_unref(sessions->sessions);
	secret_free(sessions->key);
	g_mutex_clear(&sessions->lock);
	g_free(sessions);
}

static char *hash_of(const Sessions *sessions, const char *token)
{
	return token_mac(sessions->key, "session", token, "");
}

static gboolean is_over(const Sessions *sessions, const Session *session, gint64 now)
{
	return now - session->seen >= sessions->idle || now - session->started >= SESSION_LONGEST;
}

static void sweep(Sessions *sessions)
{
	GHashTableIter iter;
	gpointer session;
	gint64 now = now_seconds();

	g_hash_table_iter_init(&iter, sessions->sessions);
	while (g_hash_table_iter_next(&iter, NULL, &session))
		if (is_over(sessions, session, now))
			g_hash_table_iter_remove(&iter);
}

void sessions_sweep(Sessions *sessions)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&sessions->lock);

	sweep(sessions);
}

/* Makes room for one more of the same account. */
static void limit_account(Sessions *sessions, const char *address)
{
	GHashTableIter iter;
	gpointer key, value;
	const char *oldest_key = NULL;
	gint64 oldest = G_MAXINT64;
	guint count = 0;

	g_hash_table_iter_init(&iter, sessions->sessions);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const Session *session = value;

		if (!g_str_equal(session->address, address))
			continue;
		count++;
		if (session->seen < oldest) {
			oldest = session->seen;
			oldest_key = key;
		}
	}
	if (count >= SESSIONS_PER_ACCOUNT)
		g_hash_table_remove(sessions->sessions, oldest_key);
}

static Session *session_new(const Account *account, Secret *private_key)
{
	Session *session = g_new0(Session, 1);

	g_atomic_ref_count_init(&session->references);
	g_mutex_init(&session->lock);
	session->address = g_strdup(account->address);
	session->public_key = g_bytes_ref(account->public_key);
	session->wrapped_private = g_bytes_ref(account->wrapped_private);
	session->private_key = private_key;
	session->started = session->seen = now_seconds();
	return session;
}

Session *sessions_start(Sessions *sessions, const Account *account, Secret **private_key,
			char **token, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&sessions->lock);
	Session *session;

	sweep(sessions);
	limit_account(sessions, account->address);
	if (g_hash_table_size(sessions->sessions) >= SESSIONS_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_BUSY, "too many people are logged in");
		return NULL;
	}
	session = session_new(account, g_steal_pointer(private_key));
	*token = token_new();
	g_hash_table_insert(sessions->sessions, hash_of(sessions, *token), session);
	return session_ref(session);
}

Session *sessions_find(Sessions *sessions, const char *token)
{
	g_autofree char *hash = hash_of(sessions, token);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&sessions->lock);
	Session *session = g_hash_table_lookup(sessions->sessions, hash);
	gint64 now = now_seconds();

	if (session == NULL)
		return NULL;
	if (is_over(sessions, session, now)) {
		g_hash_table_remove(sessions->sessions, hash);
		return NULL;
	}
	session->seen = now;
	return session_ref(session);
}

void sessions_end(Sessions *sessions, const char *token)
{
	g_autofree char *hash = hash_of(sessions, token);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&sessions->lock);

	g_hash_table_remove(sessions->sessions, hash);
}

gboolean session_is_of(const Session *session, const Account *account)
{
	return g_bytes_equal(session->wrapped_private, account->wrapped_private);
}

const char *session_address(const Session *session)
{
	return session->address;
}

GBytes *session_public_key(const Session *session)
{
	return session->public_key;
}

const Secret *session_private_key(const Session *session)
{
	return session->private_key;
}

Letter *session_letter(Session *session, gint64 number)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->lock);

	if (session->letter == NULL || letter_number(session->letter) != number)
		return NULL;
	return letter_ref(session->letter);
}

void session_keep_letter(Session *session, Letter *letter)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->lock);

	letter_unref(session->letter);
	session->letter = letter_ref(letter);
}
