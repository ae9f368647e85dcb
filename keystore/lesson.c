/* SPDX-License-Identifier: Apache-2.0
 *
 * From what came with a signed message to a lesson: which of its keys is the one to answer with.
 * See learn.h.
 */
#include "keystore/lesson.h"

#include <string.h>

#include "keystore/inside.h"
#include "keystore/learned.h"
#include "keystore/scratch.h"

/* Most keys that are remembered as gpg took them, of PGPKEY_CARRIED_MAX at most. */
#define CARRIED_MAX 100
/* Most certificates of the sender in one signature whose chains are walked, the newest. */
#define CHOICES_MAX 8
/* A clock that is ahead by more is wrong: nothing is known about when that was signed. */
#define CLOCK_SKEW (15 * 60)

const char *learn_result_name(LearnResult result)
{
	static const char *const names[] = {"known",   "new",	   "updated",	"changed",
					    "vouched", "rejected", "over-limit"};

	return names[result];
}

void lesson_free(Lesson *lesson)
{
	if (!lesson)
		return;
	g_free(lesson->id);
	g_free(lesson->address);
	g_free(lesson->digest);
	candidate_unref(lesson->candidate);
	g_free(lesson);
}

KeyType lesson_type(const Lesson *lesson)
{
	return lesson->type;
}

const char *lesson_id(const Lesson *lesson)
{
	return lesson->id;
}

const char *lesson_address(const Lesson *lesson)
{
	return lesson->address;
}

const char *lesson_origin(const Lesson *lesson)
{
	return lesson->origin;
}

LearnResult lesson_result(const Lesson *lesson)
{
	return lesson->result;
}

GBytes *lesson_pgp(const Lesson *lesson)
{
	return lesson->candidate && lesson->candidate->pgp ? lesson->candidate->pgp->bytes : NULL;
}

static Lesson *lesson_new(const KeyAnswer *sender, KeyType type, const char *id, const char *origin)
{
	Lesson *lesson = g_new0(Lesson, 1);

	lesson->type = type;
	lesson->id = g_strdup(id);
	lesson->address = g_strdup(sender->address);
	lesson->origin = origin;
	lesson->result = LEARN_NEW;
	for (guint i = 0; i < sender->keys->len; i++) {
		const Key *key = sender->keys->pdata[i];
		/* What was learned is looked at as it is in the store. */
		if (key->type != type || !key_is_vouched(key) ||
		    strcmp(key->source, "learned") == 0)
			continue;
		lesson->others = TRUE;
		lesson->vouched = lesson->vouched || strcmp(key->id, id) == 0;
		if (key->usable || lesson->vouched)
			lesson->result = LEARN_VOUCHED;
	}
	return lesson;
}

/* --- S/MIME --- */

typedef struct {
	Trust *trust;
	const SmimeEvidence *evidence;
	const char *address;
	gint64 now;
} Choice;

static gboolean fits(const Choice *choice, Cert *cert)
{
	g_autoptr(Candidate) candidate = candidate_new_cert(cert);

	candidate->extra = g_ptr_array_ref(choice->evidence->certs);
	return g_bytes_get_size(cert_der(cert)) <= LEARN_CERT_MAX &&
	       !trust_judge(choice->trust, candidate, choice->address, CERT_FOR_ENCRYPTION,
			    choice->now);
}

static gboolean names(const Choice *choice, Cert *cert)
{
	g_autoptr(Candidate) candidate = candidate_new_cert(cert);

	return candidate_names(candidate, choice->address);
}

static gint newest_first(gconstpointer left, gconstpointer right)
{
	gint64 one = cert_not_before(*(Cert *const *)left);
	gint64 other = cert_not_before(*(Cert *const *)right);

	return (one < other) - (one > other);
}

static Cert *choose_other(const Choice *choice)
{
	g_autoptr(GPtrArray) certs = g_ptr_array_new();
	guint tries = 0;

	g_ptr_array_extend(certs, choice->evidence->certs, NULL, NULL);
	g_ptr_array_sort(certs, newest_first);
	for (guint i = 0; i < certs->len && tries < CHOICES_MAX; i++) {
		Cert *cert = certs->pdata[i];
		if (!names(choice, cert))
			continue;
		if (fits(choice, cert))
			return cert;
		tries++;
	}
	return NULL;
}

/* The one that he wants; his signing certificate, if it encrypts, too; the newest other one. */
static Cert *choose(const Choice *choice)
{
	const SmimeEvidence *evidence = choice->evidence;

	if (evidence->preferred && fits(choice, evidence->preferred))
		return evidence->preferred;
	return fits(choice, evidence->signer) ? evidence->signer : choose_other(choice);
}

/* With the intermediates that lead to its root, so that it can be judged again without the mail. */
static Candidate *with_chain(const Choice *choice, Cert *cert)
{
	g_autoptr(GPtrArray) known = g_ptr_array_new();
	Candidate *candidate = candidate_new_cert(cert);

	g_ptr_array_extend(known, choice->evidence->certs, NULL, NULL);
	g_ptr_array_extend(known, trust_authorities(choice->trust), NULL, NULL);
	cert_verify_chain(cert, trust_anchors(choice->trust), known, choice->now,
			  &candidate->extra);
	if (candidate->extra && candidate->extra->len > LEARN_CHAIN_MAX)
		g_clear_pointer(&candidate->extra, g_ptr_array_unref);
	return candidate;
}

Lesson *keystore_lesson_smime(Keystore *keystore, const KeyAnswer *sender,
			      const SmimeEvidence *evidence, GError **error)
{
	g_autoptr(Trust) trust = keystore_trust(keystore, NULL, error);
	Choice choice = {trust, evidence, sender->address, g_get_real_time() / G_USEC_PER_SEC};
	Cert *cert = trust ? choose(&choice) : NULL;

	if (!cert)
		return NULL;
	g_autoptr(Lesson) lesson =
		lesson_new(sender, KEY_SMIME, cert_fingerprint(cert), "signature");
	lesson->capabilities = evidence->capabilities;
	/* A date in the future would keep us from hearing of what comes before it. */
	if (evidence->signed_at <= choice.now + CLOCK_SKEW)
		lesson->signed_at = evidence->signed_at;
	if (!lesson_prepare(keystore, lesson, error))
		return NULL;
	if (lesson->writes)
		lesson->candidate = with_chain(&choice, cert);
	return g_steal_pointer(&lesson);
}

/* --- OpenPGP --- */

/* gpg has the last word on what this key is. NULL: it does not take it; with error, it could not
 * look. */
static Candidate *ask_gpg(const PgpEvidence *evidence, GError **error)
{
	const PgpCarried *carried = evidence->carried;
	g_autoptr(GError) cause = NULL;
	g_autoptr(GPtrArray) keys =
		scratch_read_pgp(carried->bytes, NULL, evidence->deadline, &cause);

	if (!keys && !scratch_is_bad_file(cause)) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return NULL;
	}
	const PgpKey *key = keys && keys->len == 1 ? keys->pdata[0] : NULL;

	return key && strcmp(key->fingerprint, carried->fingerprint) == 0
		       ? candidate_new_pgp(g_ptr_array_steal_index(keys, 0))
		       : NULL;
}

/* The same, asked once for the many copies of a message that brings the key. */
static Candidate *read_carried(Keystore *keystore, const PgpEvidence *evidence, const char *digest,
			       GError **error)
{
	g_autoptr(GError) cause = NULL;
	gpointer found = NULL;

	g_mutex_lock(&keystore->lock);
	gboolean known = g_hash_table_lookup_extended(keystore->carried, digest, NULL, &found);
	if (found)
		candidate_ref(found);
	g_mutex_unlock(&keystore->lock);
	if (known)
		return found;
	Candidate *candidate = ask_gpg(evidence, &cause);
	if (cause) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return NULL;
	}
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&keystore->lock);
	if (g_hash_table_size(keystore->carried) >= CARRIED_MAX)
		g_hash_table_remove_all(keystore->carried);
	g_hash_table_replace(keystore->carried, g_strdup(digest),
			     candidate ? candidate_ref(candidate) : NULL);
	return candidate;
}

Lesson *keystore_lesson_pgp(Keystore *keystore, const KeyAnswer *sender,
			    const PgpEvidence *evidence, GError **error)
{
	const PgpCarried *carried = evidence->carried;
	gboolean must_name = strcmp(evidence->origin, "autocrypt") != 0;
	g_autoptr(Lesson) lesson =
		lesson_new(sender, KEY_PGP, carried->fingerprint, evidence->origin);

	if (must_name && !carried->named)
		return NULL;
	lesson->digest = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, carried->bytes);
	if (!lesson_prepare(keystore, lesson, error))
		return NULL;
	if (!lesson->writes)
		return g_steal_pointer(&lesson);
	lesson->candidate = read_carried(keystore, evidence, lesson->digest, error);
	if (!lesson->candidate ||
	    (must_name && !candidate_names(lesson->candidate, lesson->address)))
		return NULL;
	return g_steal_pointer(&lesson);
}

Lesson *keystore_lesson_seen(Keystore *keystore, const KeyAnswer *sender, const char *id,
			     GError **error)
{
	g_autoptr(GPtrArray) rows = learned_list(keystore->store, sender->address, error);
	g_autoptr(Lesson) lesson = NULL;

	for (guint i = 0; rows && i < rows->len && !lesson; i++) {
		const Learned *row = rows->pdata[i];
		if (row->candidate->type != KEY_PGP || strcmp(row->candidate->id, id) != 0)
			continue;
		lesson = lesson_new(sender, KEY_PGP, id, "signature");
		lesson->digest = g_strdup(row->digest);
		lesson->candidate = candidate_ref(row->candidate);
	}
	if (!lesson || !lesson_prepare(keystore, lesson, error))
		return NULL;
	return g_steal_pointer(&lesson);
}
