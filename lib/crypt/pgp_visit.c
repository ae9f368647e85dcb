/* SPDX-License-Identifier: Apache-2.0
 *
 * gpg finds private keys through the agent by their public parts in the keyring: a key whose
 * public part is not there cannot be used, though the agent has it. The keyring is a file of keys
 * one after the other (gpg's old form), so that no run of gpg is needed to fill it; the agent's
 * socket is a file that names another (libassuan's redirection).
 */
#include "lib/crypt/pgp_visit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/crypt/pgphome.h"
#include "lib/crypt/pgppacket.h"

#define KEYRING "pubring.gpg"
#define SOCKET "S.gpg-agent"
/* What gpg may take to look at one key for the first time. */
#define CHECK_SECONDS 5
/* Most keys whose notes are kept. */
#define CHECKED_MAX 2000

struct PgpVisit {
	char *folder;
	PgpContext *context;
};

static char *first_fingerprint(const guint8 *data, gsize size)
{
	PgpPackets packets = {data, size, 0};
	PgpPacket packet;

	return pgp_packet_next(&packets, &packet, NULL, NULL) ? pgp_packet_fingerprint(&packet)
							      : NULL;
}

/* What gpg has made of the key in its keyring; NULL if it did not want it. */
static GBytes *imported(PgpVisit *visit, GBytes *key)
{
	g_autofree char *path = g_build_filename(visit->folder, KEYRING, NULL);
	g_autofree char *text = NULL;
	gsize size, key_size;
	const guint8 *data = g_bytes_get_data(key, &key_size);

	if (!g_file_get_contents(path, &text, &size, NULL))
		return NULL;
	g_autofree char *wanted = first_fingerprint(data, key_size);
	g_autofree char *there = first_fingerprint((const guint8 *)text, size);
	if (!wanted || g_strcmp0(wanted, there) != 0)
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&text), size);
}

/* gpg reads the key into an empty keyring. What it does not want, such as a key without a user ID,
 * is used as it is. NULL: the visit has ended, or the time is over. */
static GBytes *check_key(PgpVisit *visit, GBytes *key, gint64 until, GError **error)
{
	gsize size;
	const guint8 *bytes = g_bytes_get_data(key, &size);
	g_autoptr(PgpData) data = pgp_data_new_bytes(bytes, size, error);
	gint64 limit = g_get_monotonic_time() + CHECK_SECONDS * G_USEC_PER_SEC;
	gint64 deadline = until ? MIN(until, limit) : limit;
	GError *failure = NULL;
	GBytes *result = NULL;

	if (!data || !pgp_write_file(visit->folder, KEYRING, "", 0, error))
		return NULL;
	gpgme_error_t started =
		gpgme_op_import_start(pgp_context_gpgme(visit->context), pgp_data_gpgme(data));
	if (pgp_run(visit->context, started, deadline, NULL, &failure)) {
		result = imported(visit, key);
		return result ? result : g_bytes_ref(key);
	}
	g_clear_pointer(&visit->context, pgp_context_free);
	if (until && g_get_monotonic_time() >= until) {
		g_propagate_error(error, failure);
		return NULL;
	}
	g_error_free(failure);
	visit->context = pgp_context_new(visit->folder, error);
	return visit->context ? g_bytes_ref(key) : NULL;
}

Kept *pgp_checked_new(void)
{
	return kept_new(CHECKED_MAX, (KeptRef)g_bytes_ref, (GDestroyNotify)g_bytes_unref);
}

/* The key with gpg's notes about its own signatures. New reference. */
static GBytes *checked_key(PgpVisit *visit, PgpHome *home, const PgpOpenJob *job, GBytes *key,
			   GError **error)
{
	g_autofree char *name = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, key);
	Kept *checked = pgp_home_checked(home);
	gpointer found;

	if (kept_find(checked, name, &found))
		return found;
	GBytes *result = check_key(visit, key, job->deadline, error);

	if (result)
		kept_put(checked, name, result, G_MAXINT64);
	return result;
}

static void add_key(GByteArray *keyring, GBytes *key)
{
	gsize size;
	const guint8 *bytes = g_bytes_get_data(key, &size);

	g_byte_array_append(keyring, bytes, (guint)size);
}

gboolean pgp_visit_opens_with(const PgpOpenJob *job, const char *fingerprint)
{
	return job->secrets && fingerprint &&
	       g_ptr_array_find_with_equal_func(job->secrets, fingerprint, g_str_equal, NULL);
}

static gboolean is_named(const GPtrArray *recipients, const char *fingerprint)
{
	for (guint i = 0; i < recipients->len; i++) {
		if (g_str_has_suffix(fingerprint, recipients->pdata[i]))
			return TRUE;
	}
	return FALSE;
}

/* A sender's key is there for its signatures. But anybody can name anybody as the sender, and
 * the agent may have the secret part: gpg would open with it what is for somebody else. So the
 * parts that the message is encrypted to stay out. */
static void add_signer(GByteArray *keyring, PgpHome *home, GPtrArray *recipients, GBytes *key)
{
	gboolean hidden =
		g_ptr_array_find_with_equal_func(recipients, PGP_HIDDEN_ID, g_str_equal, NULL);
	PgpPackets packets = {0};
	PgpPacket packet;
	gboolean without_key = TRUE, without_part = TRUE;

	packets.data = g_bytes_get_data(key, &packets.size);
	while (pgp_packet_next(&packets, &packet, NULL, NULL)) {
		g_autofree char *fingerprint = pgp_packet_fingerprint(&packet);
		if (packet.tag == PGP_PUBLIC_KEY)
			without_part = without_key = !fingerprint ||
						     is_named(recipients, fingerprint) ||
						     (hidden && pgp_home_secret(home, fingerprint));
		else if (packet.tag == PGP_PUBLIC_SUBKEY)
			without_part =
				without_key || !fingerprint || is_named(recipients, fingerprint);
		if (!without_part)
			g_byte_array_append(keyring, packet.start, (guint)packet.whole);
	}
}

static gboolean furnish(PgpVisit *visit, PgpHome *home, GError **error)
{
	g_autofree char *redirection =
		g_strdup_printf("%%Assuan%%\nsocket=%s/" SOCKET "\n", pgp_home_folder(home));

	if (!pgp_write_visit_settings(visit->folder, error) ||
	    !pgp_write_file(visit->folder, SOCKET, redirection, strlen(redirection), error))
		return FALSE;
	visit->context = pgp_context_new(visit->folder, error);
	return visit->context != NULL;
}

static PgpVisit *visit_new(PgpHome *home, GError **error)
{
	g_autoptr(PgpVisit) visit = g_new0(PgpVisit, 1);
	g_autofree char *made =
		g_build_filename(pgp_home_folder(home), PGP_VISIT_PREFIX "XXXXXX", NULL);

	if (!g_mkdtemp(made)) {
		error_set_errno(error, errno, made);
		return NULL;
	}
	visit->folder = g_steal_pointer(&made);
	return furnish(visit, home, error) ? g_steal_pointer(&visit) : NULL;
}

static gboolean add_secrets(PgpVisit *visit, PgpHome *home, const PgpOpenJob *job,
			    GByteArray *keyring, GError **error)
{
	for (guint i = 0; job->secrets && i < job->secrets->len; i++) {
		const PgpSecretKey *secret = pgp_home_secret(home, job->secrets->pdata[i]);
		g_autoptr(GBytes) key =
			secret ? checked_key(visit, home, job, secret->public_key, error) : NULL;

		if (secret && !key)
			return FALSE;
		if (key)
			add_key(keyring, key);
	}
	return TRUE;
}

static GByteArray *keyring_of(PgpVisit *visit, PgpHome *home, const PgpOpenJob *job,
			      GPtrArray *recipients, GError **error)
{
	g_autoptr(GByteArray) keyring = g_byte_array_new();

	if (!add_secrets(visit, home, job, keyring, error))
		return NULL;
	for (guint i = 0; job->signers && i < job->signers->len; i++) {
		g_autoptr(GBytes) key =
			checked_key(visit, home, job, job->signers->pdata[i], error);

		if (!key)
			return NULL;
		if (recipients)
			add_signer(keyring, home, recipients, key);
		else
			add_key(keyring, key);
	}
	return g_steal_pointer(&keyring);
}

PgpVisit *pgp_visit_begin(PgpHome *home, const PgpOpenJob *job, GPtrArray *recipients,
			  GError **error)
{
	g_autoptr(PgpVisit) visit = pgp_home_take_visit(home);

	if (!visit)
		visit = visit_new(home, error);
	if (!visit)
		return NULL;
	g_autoptr(GByteArray) keyring = keyring_of(visit, home, job, recipients, error);
	if (!keyring || !pgp_write_file(visit->folder, KEYRING, keyring->data, keyring->len, error))
		return NULL;
	return g_steal_pointer(&visit);
}

void pgp_visit_end(PgpHome *home, PgpVisit *visit)
{
	g_autoptr(GDir) dir = g_dir_open(visit->folder, 0, NULL);
	const char *name;
	gboolean clean = dir != NULL;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(visit->folder, name, NULL);
		if (strcmp(name, "gpg.conf") != 0 && strcmp(name, SOCKET) != 0)
			clean = unlink(path) == 0 && clean;
	}
	if (clean)
		pgp_home_give_visit(home, visit);
	else
		pgp_visit_free(visit);
}

void pgp_visit_free(PgpVisit *visit)
{
	if (!visit)
		return;
	pgp_context_free(visit->context);
	if (visit->folder)
		pgp_remove_folder(visit->folder);
	g_free(visit->folder);
	g_free(visit);
}

PgpContext *pgp_visit_context(PgpVisit *visit)
{
	return visit->context;
}

/* Is it a key or subkey of key? Then *primary gets the primary key's fingerprint. */
static gboolean belongs(GBytes *key, const char *fingerprint, char **primary)
{
	PgpPackets packets = {0};
	PgpPacket packet;
	g_autofree char *first = NULL;

	packets.data = g_bytes_get_data(key, &packets.size);
	while (pgp_packet_next(&packets, &packet, NULL, NULL)) {
		g_autofree char *own = pgp_packet_fingerprint(&packet);
		if (own && !first)
			first = g_strdup(own);
		if (own && g_str_has_suffix(own, fingerprint)) {
			*primary = g_steal_pointer(&first);
			return TRUE;
		}
	}
	return FALSE;
}

char *pgp_visit_primary(const PgpOpenJob *job, const char *fingerprint)
{
	char *primary = NULL;

	if (!fingerprint)
		return NULL;
	g_autofree char *upper = g_ascii_strup(fingerprint, -1);
	for (guint i = 0; job->signers && strlen(upper) >= 16 && i < job->signers->len; i++) {
		if (belongs(job->signers->pdata[i], upper, &primary))
			return primary;
	}
	return g_steal_pointer(&upper);
}
