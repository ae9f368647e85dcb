/* SPDX-License-Identifier: Apache-2.0
 *
 * Protecting an entity with OpenPGP: the MIME around it (RFC 3156), the message itself, and the
 * look at what was made before any of it leaves. Messages to keys of common kinds are made here
 * (pgpmessage.h); one run of gpg makes the others, and refuses what must be refused. Up to HOLD
 * bytes are held back: a message that small is tried again as a whole if the agent died, and the
 * recipients of a larger one are checked before its first byte goes out.
 */
#include "lib/crypt/pgp.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/crypt/pgphome.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgpmessage.h"
#include "lib/crypt/pgprecipients.h"
#include "lib/crypt/pgpsignature.h"
#include "lib/mail/mime.h"

#define HOLD (256 * 1024)
#define SIGNATURE_MAX (64 * 1024)

/* The armour on its way out. */
typedef struct {
	Sink *sink;
	const PgpRecipients *recipients;
	GByteArray *held;
	gsize armor_at; /* where it begins in held */
	gsize hold;
	gboolean released;
} Output;

static gboolean release(Output *output, GError **error)
{
	const GByteArray *held = output->held;

	if (!output->released &&
	    !pgp_recipients_check(output->recipients, held->data + output->armor_at,
				  held->len - output->armor_at, error))
		return FALSE;
	output->released = TRUE;
	gboolean good = sink_write(output->sink, held->data, held->len, error);
	g_byte_array_set_size(output->held, 0);
	return good;
}

static gboolean pass_on(Output *output, GError **error)
{
	return (!output->released && output->held->len < output->hold) || release(output, error);
}

static gboolean output_write(void *self, const void *data, gsize size, GError **error)
{
	Output *output = self;

	g_byte_array_append(output->held, data, (guint)size);
	return pass_on(output, error);
}

static const SinkClass output_class = {.write = output_write};

/* From gpg: line ends become CRLF. */
static gboolean lines_write(void *self, const void *data, gsize size, GError **error)
{
	Output *output = self;
	const guint8 *at = data, *end = at + size;

	while (at < end) {
		const guint8 *newline = memchr(at, '\n', (gsize)(end - at));
		const guint8 *stop = newline ? newline : end;
		g_byte_array_append(output->held, at, (guint)(stop - at));
		if (newline)
			g_byte_array_append(output->held, (const guint8 *)"\r\n", 2);
		at = newline ? newline + 1 : end;
	}
	return pass_on(output, error);
}

static const SinkClass lines_class = {.write = lines_write};

static void begin_encrypted(Output *output, const char *boundary)
{
	g_autofree char *head = g_strdup_printf(
		"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n"
		"\tboundary=\"%s\"\r\n"
		"\r\n"
		"--%s\r\n"
		"Content-Type: application/pgp-encrypted\r\n"
		"Content-Description: PGP/MIME version identification\r\n"
		"\r\n"
		"Version: 1\r\n"
		"\r\n"
		"--%s\r\n"
		"Content-Type: application/octet-stream; name=\"encrypted.asc\"\r\n"
		"Content-Description: OpenPGP encrypted message\r\n"
		"Content-Disposition: inline; filename=\"encrypted.asc\"\r\n"
		"\r\n",
		boundary, boundary, boundary);

	g_byte_array_append(output->held, (const guint8 *)head, (guint)strlen(head));
	output->armor_at = output->held->len;
}

/* Signed by the wanted key, once, and by nobody else. */
static gboolean check_signature(PgpContext *context, const PgpSecretKey *signer,
				gpgme_hash_algo_t *hash, GError **error)
{
	gpgme_sign_result_t result = gpgme_op_sign_result(pgp_context_gpgme(context));
	gpgme_new_signature_t made = result ? result->signatures : NULL;

	if (made && !made->next && !result->invalid_signers && made->fpr &&
	    g_strv_contains((const char *const *)signer->fingerprints, made->fpr)) {
		*hash = made->hash_algo;
		return TRUE;
	}
	g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO,
		    "gpg did not sign with the key that was asked for");
	return FALSE;
}

/* Says which key gpg refused, where it did. */
static void explain_refusal(PgpContext *context, const PgpRecipients *recipients, GError **error)
{
	gpgme_encrypt_result_t result = gpgme_op_encrypt_result(pgp_context_gpgme(context));

	if (!result || !result->invalid_recipients)
		return;
	const char *fingerprint = pgp_recipients_find(recipients, result->invalid_recipients->fpr);
	g_clear_error(error);
	g_set_error(error, SEALPOST_ERROR, ERROR_KEY_UNUSABLE, "gpg refuses the key %s",
		    fingerprint ? fingerprint : "of a recipient");
}

/* What the runs of one job share. */
typedef struct {
	PgpHome *home;
	const PgpSecretKey *signer;
	PgpRecipients *recipients;
	GPtrArray *targets; /* of PgpTarget *; NULL: gpg makes the message */
	gint64 deadline;
	Source *entity;
	Sink *sink;
	gboolean released; /* bytes have left: no second try */
} Run;

static gpgme_error_t start_encrypt(PgpContext *context, const Run *run, const char *keys,
				   PgpData *in, PgpData *out)
{
	gpgme_ctx_t gpgme = pgp_context_gpgme(context);
	gpgme_encrypt_flags_t flags = GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_ENCRYPT_TO;

	if (!run->signer)
		return gpgme_op_encrypt_ext_start(gpgme, NULL, keys, flags, pgp_data_gpgme(in),
						  pgp_data_gpgme(out));
	gpgme_error_t failure = gpgme_signers_add(gpgme, run->signer->key);
	return failure ? failure
		       : gpgme_op_encrypt_sign_ext_start(gpgme, NULL, keys, flags,
							 pgp_data_gpgme(in), pgp_data_gpgme(out));
}

/* One run of gpg into sink. */
static gboolean run_encrypt(PgpContext *context, Run *run, Sink *sink, GError **error)
{
	gpgme_hash_algo_t hash;
	const char *keys = pgp_recipients_text(run->recipients, error);
	g_autoptr(PgpData) in = keys ? pgp_data_new(run->entity, NULL, error) : NULL;
	g_autoptr(PgpData) out = in ? pgp_data_new(NULL, sink, error) : NULL;

	if (!out)
		return FALSE;
	gpgme_set_armor(pgp_context_gpgme(context), 1);
	if (!pgp_run(context, start_encrypt(context, run, keys, in, out), run->deadline, NULL,
		     error)) {
		explain_refusal(context, run->recipients, error);
		if (!pgp_data_failed(in, error))
			pgp_data_failed(out, error);
		return FALSE;
	}
	return !run->signer || check_signature(context, run->signer, &hash, error);
}

static gboolean make_message(Run *run, Output *output, GError **error)
{
	g_autoptr(Sink) sink = sink_new(&output_class, output);
	const PgpMessage message = {run->home, run->signer, run->targets, run->deadline};

	return pgp_message_write(&message, run->entity, sink, error);
}

/* context: NULL if the message is made here. */
static gboolean encrypt_once(PgpContext *context, Run *run, GError **error)
{
	g_autoptr(GByteArray) held = g_byte_array_new();
	Output output = {.sink = run->sink, .recipients = run->recipients, .held = held};
	g_autoptr(Sink) lines = sink_new(&lines_class, &output);
	g_autofree char *boundary = mime_boundary_new();

	output.hold = HOLD + pgp_recipients_count(run->recipients) * PGP_HEAD_RECIPIENT;
	begin_encrypted(&output, boundary);
	gboolean good = (context ? run_encrypt(context, run, lines, error)
				 : make_message(run, &output, error)) &&
			release(&output, error);
	run->released = output.released;
	return good && sink_print(run->sink, error, "\r\n--%s--\r\n", boundary);
}

/* A detached signature over the entity; armoured, in signature. */
static gboolean run_sign(PgpContext *context, Run *run, GByteArray *signature, char **micalg,
			 GError **error)
{
	gpgme_ctx_t gpgme = pgp_context_gpgme(context);
	gpgme_hash_algo_t hash;
	g_autoptr(Sink) sink = sink_new_bytes(signature, SIGNATURE_MAX);
	g_autoptr(PgpData) in = pgp_data_new(run->entity, NULL, error);
	g_autoptr(PgpData) out = in ? pgp_data_new(NULL, sink, error) : NULL;

	if (!out)
		return FALSE;
	gpgme_set_armor(gpgme, 1);
	gpgme_error_t failure = gpgme_signers_add(gpgme, run->signer->key);
	if (!failure)
		failure = gpgme_op_sign_start(gpgme, pgp_data_gpgme(in), pgp_data_gpgme(out),
					      GPGME_SIG_MODE_DETACH);
	if (!pgp_run(context, failure, run->deadline, NULL, error)) {
		pgp_data_failed(in, error);
		return FALSE;
	}
	if (!check_signature(context, run->signer, &hash, error))
		return FALSE;
	const char *name = gpgme_hash_algo_name(hash);
	*micalg = g_ascii_strdown(name ? name : "unknown", -1);
	return TRUE;
}

static gboolean write_signed(Run *run, const GByteArray *signature, const char *micalg,
			     GError **error)
{
	g_autofree char *boundary = mime_boundary_new();
	g_autofree char *lines = g_strndup((const char *)signature->data, signature->len);
	g_auto(GStrv) split = g_strsplit(lines, "\n", -1);
	g_autofree char *text = g_strjoinv("\r\n", split);

	run->released = TRUE;
	return sink_print(run->sink, error,
			  "Content-Type: multipart/signed; micalg=\"pgp-%s\";\r\n"
			  "\tprotocol=\"application/pgp-signature\";\r\n"
			  "\tboundary=\"%s\"\r\n"
			  "\r\n"
			  "--%s\r\n",
			  micalg, boundary, boundary) &&
	       source_rewind(run->entity, error) && stream_copy(run->entity, run->sink, error) &&
	       sink_print(run->sink, error,
			  "\r\n--%s\r\n"
			  "Content-Type: application/pgp-signature; name=\"signature.asc\"\r\n"
			  "Content-Description: OpenPGP digital signature\r\n"
			  "Content-Disposition: attachment; filename=\"signature.asc\"\r\n"
			  "\r\n"
			  "%s\r\n--%s--\r\n",
			  boundary, text, boundary);
}

static gboolean sign_once(PgpContext *context, Run *run, GError **error)
{
	g_autoptr(GByteArray) signature = g_byte_array_new();
	g_autofree char *micalg = NULL;

	return run_sign(context, run, signature, &micalg, error) &&
	       write_signed(run, signature, micalg, error);
}

/* Whoever signs keeps imports out meanwhile. */
static gboolean run_with(PgpContext *context, Run *run, GError **error)
{
	gboolean good;

	if (run->signer)
		pgp_home_enter(run->home);
	good = run->recipients ? encrypt_once(context, run, error) : sign_once(context, run, error);
	if (run->signer)
		pgp_home_leave(run->home);
	return good;
}

static gboolean run_once(Run *run, GError **error)
{
	if (run->targets)
		return run_with(NULL, run, error);
	PgpContext *context = pgp_home_take(run->home, error);
	return context && pgp_home_end(run->home, context, run_with(context, run, error));
}

/* An agent that hangs would hold up every signature after this one. */
static void after_failure(Run *run, const GError *failure)
{
	if (run->signer && g_error_matches(failure, SEALPOST_ERROR, ERROR_TIMEOUT))
		pgp_agent_end_silent(run->home);
}

/* A second time only where the first may have failed by accident and nothing has left. */
static gboolean run_twice(Run *run, GError **error)
{
	GError *first = NULL;

	if (run_once(run, &first))
		return TRUE;
	after_failure(run, first);
	if (run->released || !g_error_matches(first, SEALPOST_ERROR, ERROR_CRYPTO)) {
		g_propagate_error(error, first);
		return FALSE;
	}
	g_error_free(first);
	return source_rewind(run->entity, error) && run_once(run, error);
}

/* Can the message be made here? What speaks against it is gpg's to handle, and to name. */
static GPtrArray *find_targets(const Run *run)
{
	PgpSigner signer;

	if (!run->recipients || (run->signer && !pgp_signer_choose(run->signer, &signer)))
		return NULL;
	return pgp_recipients_targets(run->recipients, run->home, run->deadline);
}

gboolean pgp_protect(PgpHome *home, const PgpJob *job, Source *entity, Sink *sink, GError **error)
{
	gboolean encrypted = job->recipients && job->recipients->len > 0;
	g_autoptr(PgpRecipients) recipients =
		encrypted ? pgp_recipients_new(job->recipients, error) : NULL;
	Run run = {.home = home,
		   .recipients = recipients,
		   .deadline = job->deadline,
		   .entity = entity,
		   .sink = sink};

	if (encrypted && !recipients)
		return FALSE;
	if (job->signer)
		run.signer = pgp_home_secret(home, job->signer);
	if ((job->signer && !run.signer) || (!job->signer && !encrypted)) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO, "the secret key %s is not at hand",
			    job->signer ? job->signer : "");
		return FALSE;
	}
	if (!run.deadline)
		run.deadline = g_get_monotonic_time() + PGP_SECONDS * G_USEC_PER_SEC;
	g_autoptr(GPtrArray) targets = find_targets(&run);
	run.targets = targets;
	return run_twice(&run, error);
}
