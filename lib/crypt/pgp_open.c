/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes: messages of the common kinds are opened by pgpread.h, the others by one run of gpg,
 * which also names what is wrong. Its home is made for the run (pgp_visit.c), so what gpg says of
 * keys is about the keys that were named. A result is believed only if everything agrees: gpg's
 * exit, its status, and the packets that we saw ourselves before.
 */
#include "lib/crypt/pgp_open.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgp_visit.h"
#include "lib/crypt/pgphome.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgpopened.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/pgpread.h"

static void signature_free(gpointer data)
{
	PgpSignature *signature = data;

	g_free(signature->key);
	g_free(signature);
}

void pgp_opened_free(PgpOpened *opened)
{
	if (!opened)
		return;
	g_free(opened->algorithm);
	g_free(opened->key);
	g_ptr_array_unref(opened->signatures);
	g_free(opened);
}

GPtrArray *pgp_signatures_new(void)
{
	return g_ptr_array_new_with_free_func(signature_free);
}

PgpOpened *pgp_opened_new(const char *reason)
{
	PgpOpened *opened = g_new0(PgpOpened, 1);

	opened->reason = reason;
	opened->signatures = pgp_signatures_new();
	return opened;
}

/* --- signatures --- */

static gboolean is_weak(gpgme_hash_algo_t hash)
{
	return hash == GPGME_MD_MD5 || hash == GPGME_MD_SHA1 || hash == GPGME_MD_RMD160;
}

static const char *judge(const struct _gpgme_signature *signature)
{
	switch (gpgme_err_code(signature->status)) {
	case GPG_ERR_NO_ERROR:
		if (signature->wrong_key_usage)
			return "wrong-usage";
		return is_weak(signature->hash_algo) ? "weak" : "good";
	case GPG_ERR_SIG_EXPIRED:
	case GPG_ERR_KEY_EXPIRED: return "expired";
	case GPG_ERR_CERT_REVOKED: return "revoked";
	case GPG_ERR_BAD_SIGNATURE: return "bad";
	case GPG_ERR_NO_PUBKEY: return "no-key";
	default: return is_weak(signature->hash_algo) ? "weak" : "unsupported";
	}
}

/* The array of what gpg found. */
static GPtrArray *signatures_of(PgpContext *context, const PgpOpenJob *job)
{
	gpgme_verify_result_t result = gpgme_op_verify_result(pgp_context_gpgme(context));
	GPtrArray *signatures = pgp_signatures_new();

	for (gpgme_signature_t found = result ? result->signatures : NULL; found;
	     found = found->next) {
		PgpSignature *signature = g_new0(PgpSignature, 1);
		signature->result = judge(found);
		signature->key = pgp_visit_primary(job, found->fpr);
		signature->created = (gint64)found->timestamp;
		g_ptr_array_add(signatures, signature);
	}
	return signatures;
}

/* --- opening --- */

/* What gpg's status lines told. */
typedef struct {
	char *key; /* primary fingerprint of the key that gave the session key */
	gboolean decrypted; /* DECRYPTION_OKAY */
	gboolean integrity; /* GOODMDC */
} Status;

static gpgme_error_t on_status(void *hook, const char *keyword, const char *args)
{
	Status *status = hook;

	if (strcmp(keyword, "DECRYPTION_KEY") == 0 && !status->key) {
		g_auto(GStrv) words = g_strsplit(args, " ", 3);
		if (g_strv_length(words) >= 2)
			status->key = g_ascii_strup(words[1], -1);
	} else if (strcmp(keyword, "DECRYPTION_OKAY") == 0) {
		status->decrypted = TRUE;
	} else if (strcmp(keyword, "GOODMDC") == 0) {
		status->integrity = TRUE;
	}
	return 0;
}

/* Passes on and counts. */
typedef struct {
	Sink *sink;
	goffset written;
} Counter;

static gboolean counter_write(void *self, const void *data, gsize size, GError **error)
{
	Counter *counter = self;

	counter->written += (goffset)size;
	return sink_write(counter->sink, data, size, error);
}

static const SinkClass counter_class = {.write = counter_write};

typedef struct {
	PgpHome *home;
	const PgpOpenJob *job;
	gint64 deadline;
	Source *message;
	GPtrArray *recipients; /* key ids */
	Counter plain;
	Status status;
} Run;

static const char *reason_of(const Run *run, gpgme_decrypt_result_t result)
{
	if (result && result->legacy_cipher_nomdc)
		return "no-integrity";
	return pgp_visit_opens_with(run->job, run->status.key) ? "damaged" : "no-key";
}

/* gpg has ended; good: without an error. */
static PgpOpened *conclude(PgpContext *context, Run *run, gboolean good)
{
	gpgme_decrypt_result_t result = gpgme_op_decrypt_result(pgp_context_gpgme(context));

	if (!good || !pgp_visit_opens_with(run->job, run->status.key) || !run->status.decrypted ||
	    !run->status.integrity)
		return pgp_opened_new(reason_of(run, result));
	PgpOpened *opened = pgp_opened_new(NULL);
	opened->opened = TRUE;
	opened->key = g_strdup(run->status.key);
	if (result && result->symkey_algo)
		opened->algorithm =
			g_strndup(result->symkey_algo, strcspn(result->symkey_algo, "."));
	g_ptr_array_unref(opened->signatures);
	opened->signatures = signatures_of(context, run->job);
	return opened;
}

/* An error of the ends. *shut: it was the limit of the sink. */
static gboolean ends_failed(PgpData *in, PgpData *out, gboolean *shut, GError **error)
{
	g_autoptr(GError) failure = NULL;

	*shut = FALSE;
	if (pgp_data_failed(in, error))
		return TRUE;
	if (!pgp_data_failed(out, &failure))
		return FALSE;
	*shut = g_error_matches(failure, SEALPOST_ERROR, ERROR_TOO_LARGE);
	if (*shut)
		g_clear_error(error);
	else
		g_propagate_error(error, g_steal_pointer(&failure));
	return TRUE;
}

static PgpOpened *open_in(PgpContext *context, Run *run, GError **error)
{
	gpgme_ctx_t gpgme = pgp_context_gpgme(context);
	g_autoptr(Sink) sink = sink_new(&counter_class, &run->plain);
	g_autoptr(PgpData) in = pgp_data_new(run->message, NULL, error);
	g_autoptr(PgpData) out = in ? pgp_data_new(NULL, sink, error) : NULL;
	g_autoptr(GError) failure = NULL;
	gboolean too_large;

	if (!out)
		return NULL;
	gpgme_set_ctx_flag(gpgme, "full-status", "1");
	gpgme_set_status_cb(gpgme, on_status, &run->status);
	gpgme_error_t started =
		gpgme_op_decrypt_verify_start(gpgme, pgp_data_gpgme(in), pgp_data_gpgme(out));
	gboolean good = pgp_run(context, started, run->deadline, NULL, &failure);
	gpgme_set_status_cb(gpgme, NULL, NULL);
	if (ends_failed(in, out, &too_large, error))
		return too_large ? pgp_opened_new("too-large") : NULL;
	if (g_error_matches(failure, SEALPOST_ERROR, ERROR_TIMEOUT)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	return conclude(context, run, good);
}

static PgpOpened *open_once(Run *run, GError **error)
{
	g_autoptr(PgpVisit) visit = pgp_visit_begin(run->home, run->job, run->recipients, error);

	g_clear_pointer(&run->status.key, g_free);
	memset(&run->status, 0, sizeof(run->status));
	PgpOpened *opened = visit ? open_in(pgp_visit_context(visit), run, error) : NULL;
	if (opened && opened->opened)
		pgp_visit_end(run->home, g_steal_pointer(&visit));
	return opened;
}

/* Whether one of the named keys can open it, by the packets' word. */
static gboolean concerns(Run *run, const PgpHead *head)
{
	GPtrArray *secrets = run->job->secrets;

	for (guint i = 0; secrets && i < secrets->len; i++) {
		const PgpSecretKey *secret = pgp_home_secret(run->home, secrets->pdata[i]);
		for (guint n = 0; secret && n < head->key_ids->len; n++) {
			const char *id = head->key_ids->pdata[n];
			if (strcmp(id, PGP_HIDDEN_ID) == 0)
				return TRUE;
			for (char **own = secret->fingerprints; *own; own++) {
				if (strcmp(*own + strlen(*own) - 16, id) == 0)
					return TRUE;
			}
		}
	}
	return FALSE;
}

/* The first try may have met a dead agent: gpg tells that apart from a missing key in no way. */
static PgpOpened *open_twice(Run *run, GError **error)
{
	g_autoptr(PgpOpened) first = open_once(run, error);

	if (!first) {
		if (error && g_error_matches(*error, SEALPOST_ERROR, ERROR_TIMEOUT))
			pgp_agent_end_silent(run->home);
		return NULL;
	}
	if (first->opened || strcmp(first->reason, "no-key") != 0 || run->plain.written > 0)
		return g_steal_pointer(&first);
	if (!pgp_home_wake(run->home, run->deadline, error) || !source_rewind(run->message, error))
		return NULL;
	return open_once(run, error);
}

static gint64 deadline_of(const PgpOpenJob *job)
{
	return job->deadline ? job->deadline
			     : g_get_monotonic_time() + PGP_SECONDS * G_USEC_PER_SEC;
}

PgpOpened *pgp_open_by_gpg(PgpHome *home, const PgpOpenJob *job, Source *message, Sink *plain,
			   GError **error)
{
	Run run = {.home = home,
		   .job = job,
		   .deadline = deadline_of(job),
		   .message = message,
		   .plain = {.sink = plain}};
	GError *failure = NULL;
	g_autoptr(PgpHead) head = pgp_head_read(message, &failure);

	if (!head && !g_error_matches(failure, SEALPOST_ERROR, ERROR_MALFORMED)) {
		g_propagate_error(error, failure);
		return NULL;
	}
	g_clear_error(&failure);
	if (!head || !head->encrypted)
		return pgp_opened_new("damaged");
	if (!head->integrity)
		return pgp_opened_new("no-integrity");
	run.recipients = head->key_ids;
	if (!concerns(&run, head))
		return pgp_opened_new("no-key");
	if (!source_rewind(message, error))
		return NULL;
	PgpOpened *opened = open_twice(&run, &failure);
	if (failure)
		g_propagate_error(error, failure);
	g_free(run.status.key);
	return opened;
}

PgpOpened *pgp_open(PgpHome *home, const PgpOpenJob *job, Source *message, Sink *plain,
		    GError **error)
{
	const PgpOpenJob timed = {job->secrets, job->signers, deadline_of(job)};
	GError *failure = NULL;
	PgpOpened *opened = pgp_read_message(home, &timed, message, plain, &failure);

	if (opened)
		return opened;
	if (failure) {
		g_propagate_error(error, failure);
		return NULL;
	}
	if (!source_rewind(message, error) || !sink_restart(plain, error))
		return NULL;
	return pgp_open_by_gpg(home, &timed, message, plain, error);
}

/* --- signatures without a cipher around them --- */

GPtrArray *pgp_verify_by_gpg(PgpHome *home, const PgpOpenJob *job, const PgpSigned *signed_thing,
			     GError **error)
{
	PgpOpenJob public_only = {.signers = job->signers, .deadline = job->deadline};
	g_autoptr(PgpVisit) visit = pgp_visit_begin(home, &public_only, NULL, error);
	PgpContext *context = visit ? pgp_visit_context(visit) : NULL;
	g_autoptr(PgpData) signature =
		context ? pgp_data_new(signed_thing->signature, NULL, error) : NULL;
	g_autoptr(PgpData) other =
		signature ? pgp_data_new(signed_thing->content,
					 signed_thing->content ? NULL : signed_thing->plain, error)
			  : NULL;
	g_autoptr(GError) failure = NULL;

	if (!other)
		return NULL;
	gboolean detached = signed_thing->content != NULL;
	gpgme_error_t started = gpgme_op_verify_start(
		pgp_context_gpgme(context), pgp_data_gpgme(signature),
		detached ? pgp_data_gpgme(other) : NULL, detached ? NULL : pgp_data_gpgme(other));
	/* Without a signature gpg fails, and there is none in the result. */
	gboolean good = pgp_run(context, started, deadline_of(job), NULL, &failure);
	if (pgp_data_failed(signature, error) || pgp_data_failed(other, error))
		return NULL;
	if (g_error_matches(failure, SEALPOST_ERROR, ERROR_TIMEOUT)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	GPtrArray *signatures = signatures_of(context, job);
	if (good)
		pgp_visit_end(home, g_steal_pointer(&visit));
	return signatures;
}

GPtrArray *pgp_verify(PgpHome *home, const PgpOpenJob *job, const PgpSigned *signed_thing,
		      GError **error)
{
	const PgpOpenJob timed = {NULL, job->signers, deadline_of(job)};
	GError *failure = NULL;

	if (!signed_thing->content)
		return pgp_verify_by_gpg(home, &timed, signed_thing, error);
	GPtrArray *signatures = pgp_read_detached(home, &timed, signed_thing, &failure);
	if (signatures)
		return signatures;
	if (failure) {
		g_propagate_error(error, failure);
		return NULL;
	}
	if (!source_rewind(signed_thing->signature, error) ||
	    !source_rewind(signed_thing->content, error))
		return NULL;
	return pgp_verify_by_gpg(home, &timed, signed_thing, error);
}
