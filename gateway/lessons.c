/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning the senders' keys. See lessons.h.
 */
#include <string.h>

#include "lib/base/log.h"
#include "lib/mail/autocrypt.h"

#include "gateway/lessons.h"

/* Most parts whose content is looked into, and most bytes of one. */
#define PARTS_MAX 5
#define PART_MAX (256 * 1024)
/* Most keys of one message that GnuPG and the store are asked about. */
#define LESSON_TRIES_MAX 20
#define KEY_BLOCK "-----BEGIN PGP PUBLIC KEY BLOCK-----"

/* Only strangers teach us, and nothing about our own people. */
static gboolean may_learn(const OpenWork *work)
{
	const Snapshot *snapshot = work->job->snapshot;

	return !work->job->trusted && work->from && work->sender &&
	       keystore_learns(snapshot->keystore) &&
	       !policy_is_internal(snapshot->policy, work->from);
}

static void complain(const OpenWork *work, const GError *error)
{
	const char *id = work->job->queue_id;

	if (error)
		log_warning("id=%s nothing learned: %s", id ? id : "-", error->message);
}

static gboolean has_key(const Verifiers *verifiers, GBytes *key)
{
	return g_ptr_array_find_with_equal_func(verifiers->pgp, key, g_bytes_equal, NULL);
}

static gint find_lesson(const OpenWork *work, const char *id)
{
	for (guint i = 0; i < work->lessons->len; i++)
		if (g_ascii_strcasecmp(lesson_id(work->lessons->pdata[i]), id) == 0)
			return (gint)i;
	return -1;
}

static void collect_key(OpenWork *work, const PgpCarried *carried, const char *origin)
{
	PgpEvidence evidence = {carried, origin, work->job->deadline};
	g_autoptr(GError) error = NULL;
	Lesson *lesson;

	if (find_lesson(work, carried->fingerprint) >= 0)
		return;
	work->tries++;
	lesson =
		keystore_lesson_pgp(work->job->snapshot->keystore, work->sender, &evidence, &error);
	complain(work, error);
	if (!lesson)
		return;
	GBytes *key = lesson_pgp(lesson);

	if (key && !has_key(work->verifiers, key))
		g_ptr_array_add(work->verifiers->pgp, g_bytes_ref(key));
	g_ptr_array_add(work->lessons, lesson);
}

/* A key from which nothing is learned costs as much as one that teaches something. */
static gboolean may_try(const OpenWork *work)
{
	return work->tries < LESSON_TRIES_MAX && work->lessons->len < PGPKEY_CARRIED_KEYS_MAX &&
	       open_in_time(work, NULL);
}

static void collect_keys(OpenWork *work, GBytes *bytes, const char *origin)
{
	g_autoptr(GPtrArray) keys = pgpkey_carried(bytes, work->from);

	for (guint i = 0; i < keys->len && may_try(work); i++)
		collect_key(work, keys->pdata[i], origin);
}

/* Its content with the transfer encoding undone; NULL if it is too large or holds no key. */
static GBytes *read_part(const MimeTree *tree, const MimePart *part, gboolean is_text)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, PART_MAX);

	if (part->content.end - part->content.start > 2 * PART_MAX ||
	    !mime_decode(tree, part, sink, NULL) || bytes->len == 0 ||
	    (is_text && !g_strstr_len((const char *)bytes->data, bytes->len, KEY_BLOCK)))
		return NULL;
	return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

/* Not into messages that are attached: what they carry is somebody else's. */
static void search(OpenWork *work, const MimeTree *tree, const MimePart *part, guint *left)
{
	gboolean is_text = g_str_equal(part->type, "text/plain");

	if (*left == 0 || g_str_equal(part->type, "message/rfc822"))
		return;
	if (is_text || g_str_equal(part->type, "application/pgp-keys")) {
		g_autoptr(GBytes) bytes = read_part(tree, part, is_text);

		--*left;
		if (bytes)
			collect_keys(work, bytes, is_text ? "text" : "attached");
	}
	for (guint i = 0; part->children && i < part->children->len; i++)
		search(work, tree, part->children->pdata[i], left);
}

void lessons_collect(OpenWork *work, const MimeTree *tree, const MimePart *within)
{
	guint left = PARTS_MAX;

	if (work->part || !may_learn(work))
		return;
	if (work->lessons->len == 0) {
		g_autoptr(GBytes) field = autocrypt_key(work->job->headers, work->from);

		if (field)
			collect_keys(work, field, "autocrypt");
	}
	if (within)
		search(work, tree, within, &left);
}

/* What the reader is told whatever the key is worth: it is not the one that we know. */
static void warn(OpenWork *work, const Lesson *lesson)
{
	if (lesson_result(lesson) == LEARN_CHANGED)
		opened_warn(work->opened, "changed-key");
}

/* The one about that key; NULL if it did not come along. */
static Lesson *take_lesson(OpenWork *work, const char *id)
{
	gint index = find_lesson(work, id);

	return index < 0 ? NULL : g_ptr_array_steal_index(work->lessons, (guint)index);
}

static gboolean is_known(const OpenWork *work, const char *id)
{
	for (guint i = 0; i < work->sender->keys->len; i++) {
		const Key *key = work->sender->keys->pdata[i];

		if (key->type != KEY_PGP || g_ascii_strcasecmp(key->id, id) != 0)
			continue;
		if (g_strcmp0(key->reason, "changed") == 0)
			opened_warn(work->opened, "changed-key");
		return !key->first_contact;
	}
	return FALSE;
}

void lessons_note_pgp(OpenWork *work, const PgpSignature *found, OpenSignature *signature)
{
	g_autoptr(GError) error = NULL;

	if (signature->partial || !found->key || !g_str_equal(found->result, "good") ||
	    !work->sender)
		return;
	gboolean known = is_known(work, found->key);
	Lesson *lesson = take_lesson(work, found->key);

	if (!lesson && !known && may_learn(work))
		lesson = keystore_lesson_seen(work->job->snapshot->keystore, work->sender,
					      found->key, &error);
	complain(work, error);
	if (!lesson)
		return;
	warn(work, lesson);
	g_ptr_array_add(work->opened->lessons, lesson);
	if (known)
		return;
	g_free(signature->signer);
	signature->signer = g_strdup(work->from);
	signature->matches_from = TRUE;
	signature->result = "untrusted";
}

void lessons_note_smime(OpenWork *work, const CmsSignature *found, const CmsVerified *verified,
			const OpenSignature *signature)
{
	SmimeEvidence evidence = {found->signer, found->preferred, verified->certs,
				  found->capabilities, found->signing_time};
	g_autoptr(GError) error = NULL;

	if (signature->partial || !signature->matches_from ||
	    !g_str_equal(signature->result, "good") || !may_learn(work))
		return;
	Lesson *lesson = keystore_lesson_smime(work->job->snapshot->keystore, work->sender,
					       &evidence, &error);

	complain(work, error);
	if (!lesson)
		return;
	warn(work, lesson);
	g_ptr_array_add(work->opened->lessons, lesson);
}

void lessons_conclude(OpenWork *work)
{
	const GPtrArray *signatures = work->opened->signatures;

	for (guint i = 0; i < signatures->len; i++) {
		const OpenSignature *signature = signatures->pdata[i];

		if (g_str_equal(signature->result, "bad"))
			g_ptr_array_set_size(work->opened->lessons, 0);
	}
}

/* On the keystore's thread: who teaches what, never what was written. */
static void report(const Lesson *lesson, const GError *error)
{
	g_autofree char *address = log_address(lesson_address(lesson));
	const char *type = key_type_name(lesson_type(lesson));
	const char *result = learn_result_name(lesson_result(lesson));

	if (error)
		log_warning("key not learned from=<%s> type=%s key=%s: %s", address, type,
			    lesson_id(lesson), error->message);
	else if (lesson_result(lesson) == LEARN_CHANGED)
		log_warning("key from=<%s> type=%s key=%s origin=%s result=%s: not the one that is "
			    "known; kept aside (sealpost key approve, or reject)",
			    address, type, lesson_id(lesson), lesson_origin(lesson), result);
	else
		log_info("key from=<%s> type=%s key=%s origin=%s result=%s", address, type,
			 lesson_id(lesson), lesson_origin(lesson), result);
}

void lessons_hand_over(const Job *job, const Plan *plan)
{
	for (guint i = 0; plan && i < plan->recipients->len; i++) {
		const PlanRecipient *outcome = plan->recipients->pdata[i];
		GPtrArray *lessons = outcome->opened ? outcome->opened->lessons : NULL;

		/* The copies of one message teach the same; the keystore sees that by itself. */
		while (lessons && lessons->len > 0)
			keystore_learn(job->snapshot->keystore,
				       g_ptr_array_steal_index(lessons, lessons->len - 1), report);
	}
}
