/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning keys. See learn.h.
 */
#include "keystore/learn.h"

#include <string.h>

#include "keystore/inside.h"
#include "keystore/learned.h"
#include "keystore/lesson.h"
#include "keystore/scratch.h"
#include "keystore/store_db.h"
#include "lib/base/error.h"
#include "lib/mail/address.h"

#define DAY ((gint64)86400)
#define HOUR ((gint64)3600)

typedef struct {
	Lesson *lesson;
	LearnReport report;
} Task;

static gint64 seconds_now(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

static gint64 limit(const Keystore *keystore, const char *key)
{
	return conf_number(keystore->conf, "learn", key);
}

/* --- deciding --- */

/* A certificate whose time is over makes room for the next one, which a CA vouches for. An OpenPGP
 * key has nobody but itself: its owner can make it live longer. */
static gboolean is_over(const Candidate *candidate)
{
	return candidate->cert && cert_not_after(candidate->cert) < seconds_now();
}

static LearnResult judge_known(const Lesson *lesson, const Learned *row, gboolean others)
{
	switch (row->state) {
	case LEARNED_REJECTED: return LEARN_REJECTED;
	case LEARNED_CHANGED: return others || lesson->type == KEY_PGP ? LEARN_CHANGED : LEARN_NEW;
	default: return g_strcmp0(row->digest, lesson->digest) ? LEARN_UPDATED : LEARN_KNOWN;
	}
}

/* For an address with a tag: has the one without it another key, and not this one? */
static gboolean base_has_others(const Lesson *lesson, const GPtrArray *rows)
{
	gboolean others = FALSE;

	for (guint i = 0; rows && i < rows->len; i++) {
		const Learned *other = rows->pdata[i];
		const Candidate *candidate = other->candidate;
		gboolean counts = other->state == LEARNED_USED || other->state == LEARNED_APPROVED;
		if (candidate->type != lesson->type || !counts)
			continue;
		if (strcmp(candidate->id, lesson->id) == 0)
			return FALSE;
		others = others || !is_over(candidate);
	}
	return others;
}

/* What the rows of the address make of it; *row (may be NULL there) is the one of this key. others:
 * there are other keys anyway. */
static LearnResult judge(const Lesson *lesson, const GPtrArray *rows, gboolean others,
			 const Learned **row)
{
	guint count = 0;

	*row = NULL;
	for (guint i = 0; i < rows->len; i++) {
		const Learned *other = rows->pdata[i];
		const Candidate *candidate = other->candidate;
		if (candidate->type != lesson->type)
			continue;
		count++;
		if (strcmp(candidate->id, lesson->id) == 0)
			*row = other;
		else if (other->state != LEARNED_REJECTED && !is_over(candidate))
			others = TRUE;
	}
	if (*row)
		return judge_known(lesson, *row, others);
	if (count >= LEARN_PER_ADDRESS)
		return LEARN_LIMIT;
	return others ? LEARN_CHANGED : LEARN_NEW;
}

static gboolean is_over_limit(Keystore *keystore, const char *address, gboolean *over,
			      GError **error)
{
	gint64 since = seconds_now() - DAY, domain, day, total;

	if (!learned_count(keystore->store, address_domain(address), since, &domain, error) ||
	    !learned_count(keystore->store, NULL, since, &day, error) ||
	    !learned_count(keystore->store, NULL, 0, &total, error))
		return FALSE;
	*over = domain >= limit(keystore, "per_domain") || day >= limit(keystore, "per_day") ||
		total >= limit(keystore, "total");
	return TRUE;
}

/* The result, and the row of this key as it is now (borrowed from *rows). */
static gboolean look(Keystore *keystore, Lesson *lesson, GPtrArray **rows, const Learned **row,
		     GError **error)
{
	gboolean over = FALSE, rejected = FALSE;

	g_autofree char *base = keystore_base(keystore, lesson->address);
	g_autoptr(GPtrArray) base_rows = base ? learned_list(keystore->store, base, error) : NULL;

	*rows = base && !base_rows ? NULL : learned_list(keystore->store, lesson->address, error);
	if (!*rows)
		return FALSE;
	gboolean others = lesson->others || base_has_others(lesson, base_rows);
	lesson->result = judge(lesson, *rows, others, row);
	/* What was rejected for one address does not come in by another. */
	if (!*row && (!is_over_limit(keystore, lesson->address, &over, error) ||
		      !learned_is_rejected(keystore->store, lesson->id, &rejected, error)))
		return FALSE;
	if (rejected)
		lesson->result = LEARN_REJECTED;
	else if (over)
		lesson->result = LEARN_LIMIT;
	return TRUE;
}

/* Has the owner told something about his program, and later than what we know? The same as before
 * is to be remembered, too: what he said in between may still come. To the hour: not each message
 * is worth a write. */
static gboolean look_at_capabilities(Keystore *keystore, Lesson *lesson, GError **error)
{
	gint64 signed_at;
	guint flags;
	gboolean kept = lesson->result == LEARN_KNOWN || lesson->result == LEARN_NEW ||
			lesson->result == LEARN_CHANGED || lesson->vouched;

	lesson->tells = FALSE;
	if (lesson->type != KEY_SMIME || !kept)
		return TRUE;
	if (!learned_capabilities(keystore->store, lesson->id, &flags, &signed_at, error))
		return FALSE;
	lesson->tells = flags != lesson->capabilities ? lesson->signed_at > signed_at
						      : lesson->signed_at >= signed_at + HOUR;
	return TRUE;
}

gboolean lesson_prepare(Keystore *keystore, Lesson *lesson, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;
	const Learned *row = NULL;

	if (lesson->result != LEARN_VOUCHED && !look(keystore, lesson, &rows, &row, error))
		return FALSE;
	gboolean due = !row || row->seen < seconds_now() - DAY;

	lesson->writes =
		lesson->result == LEARN_NEW || lesson->result == LEARN_UPDATED ||
		(due && (lesson->result == LEARN_CHANGED || lesson->result == LEARN_KNOWN));
	return look_at_capabilities(keystore, lesson, error);
}

/* --- writing --- */

/* The new row: what is known of the old one stays. */
static Learned *new_row(const Lesson *lesson, const Learned *old, Candidate *candidate)
{
	Learned *row = g_new0(Learned, 1);

	row->address = g_strdup(lesson->address);
	row->origin = g_strdup(old ? old->origin : lesson->origin);
	row->seen = seconds_now();
	row->first = old ? old->first : row->seen;
	row->digest = g_strdup(lesson->digest);
	row->candidate = candidate;
	row->state = lesson->result == LEARN_CHANGED	  ? LEARNED_CHANGED
		     : old && lesson->result != LEARN_NEW ? old->state
							  : LEARNED_USED;
	return row;
}

/* Of an OpenPGP key that is there already, both forms together are written, so that nothing that its
 * owner once said (a revocation) is lost by an older form that comes later. It takes GnuPG some
 * time: not in a transaction. */
static gboolean merge(Keystore *keystore, Lesson *lesson, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;
	g_autoptr(PgpKey) both = NULL;
	const Learned *old = NULL;

	if (!look(keystore, lesson, &rows, &old, error))
		return FALSE;
	if (lesson->result == LEARN_UPDATED)
		both = scratch_merge_pgp(old->candidate->pgp->bytes, lesson->candidate->pgp->bytes);
	if (both) {
		candidate_unref(lesson->candidate);
		lesson->candidate = candidate_new_pgp(g_steal_pointer(&both));
	} else if (lesson->result == LEARN_UPDATED) {
		/* Better the old form than one that lacks something. It stays the one that came
		 * last: the new one is tried again when it comes again. */
		candidate_unref(lesson->candidate);
		lesson->candidate = candidate_ref(old->candidate);
		g_free(lesson->digest);
		lesson->digest = g_strdup(old->digest);
	}
	return TRUE;
}

static gboolean write_row(Keystore *keystore, Lesson *lesson, GError **error)
{
	g_autoptr(GPtrArray) rows = NULL;
	const Learned *old = NULL;

	/* Once more: mail that came at the same time may have been first. */
	if (!look(keystore, lesson, &rows, &old, error))
		return FALSE;
	if (lesson->result == LEARN_LIMIT || lesson->result == LEARN_REJECTED)
		return TRUE;
	gboolean fresh = !old || lesson->result == LEARN_UPDATED;
	g_autoptr(Learned) row =
		new_row(lesson, old, candidate_ref(fresh ? lesson->candidate : old->candidate));
	gint64 keep = conf_duration(keystore->conf, "learn", "keep");

	return learned_put(keystore->store, row, error) &&
	       (old || learned_expire(keystore->store, row->seen - keep, error));
}

/* Once more here, too. */
static gboolean write_capabilities(Keystore *keystore, Lesson *lesson, GError **error)
{
	return look_at_capabilities(keystore, lesson, error) &&
	       (!lesson->tells ||
		learned_put_capabilities(keystore->store, lesson->id, lesson->capabilities,
					 lesson->signed_at, error));
}

static gboolean write_lesson(Keystore *keystore, Lesson *lesson, GError **error)
{
	gboolean ok;

	if ((lesson->writes && lesson->type == KEY_PGP && !merge(keystore, lesson, error)) ||
	    !db_begin(keystore->store->db, error))
		return FALSE;
	ok = (!lesson->writes || write_row(keystore, lesson, error)) &&
	     (!lesson->tells || write_capabilities(keystore, lesson, error));
	/* Who is trusted does not change by it. */
	return store_finish(keystore->store, ok, FALSE, error);
}

static void work(gpointer data, gpointer user_data)
{
	Keystore *keystore = user_data;
	Task *task = data;
	g_autoptr(GError) error = NULL;

	/* At the end of the program nobody waits for a database that does not answer. */
	if (keystore->learner_gave_up)
		g_set_error(&error, SEALPOST_ERROR, ERROR_STORE, "the gateway ends");
	else if (!write_lesson(keystore, task->lesson, &error))
		keystore->learner_gave_up = g_atomic_int_get(&keystore->learner_closing) != 0;
	task->report(task->lesson, error);
	lesson_free(task->lesson);
	g_free(task);
}

void keystore_learn(Keystore *keystore, Lesson *lesson, LearnReport report)
{
	g_autoptr(GError) full = NULL;
	g_autoptr(Lesson) owned = lesson;
	Task *task;

	if (!lesson->writes && !lesson->tells)
		return;
	if (g_thread_pool_unprocessed(keystore->learner) >= LEARN_QUEUE_MAX) {
		full = g_error_new(SEALPOST_ERROR, ERROR_STORE, "too much to learn at once");
		report(lesson, full);
		return;
	}
	task = g_new0(Task, 1);
	task->lesson = g_steal_pointer(&owned);
	task->report = report;
	/* A thread that cannot be started leaves the task queued. */
	g_thread_pool_push(keystore->learner, task, NULL);
}

gboolean learner_open(Keystore *keystore, GError **error)
{
	const char *mode = conf_string(keystore->conf, "learn", "keys");
	g_autoptr(GError) cause = NULL;

	if (g_strcmp0(mode, "use") == 0) {
		keystore->learn_mode = LEARN_MODE_USE;
	} else if (g_strcmp0(mode, "approved") == 0) {
		keystore->learn_mode = LEARN_MODE_APPROVED;
	} else if (g_strcmp0(mode, "off") != 0) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
			    "[learn] keys: \"%s\" is none of use, approved and off", mode);
		return FALSE;
	}
	keystore->learner_closing = 0;
	keystore->learner_gave_up = FALSE;
	keystore->carried = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						  (GDestroyNotify)candidate_unref);
	/* One: SQLite has one writer. Not exclusive: it is started when there is work for it. */
	keystore->learner = g_thread_pool_new(work, keystore, 1, FALSE, &cause);
	if (keystore->learner)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_INTERNAL, "learning thread: %s", cause->message);
	return FALSE;
}

void learner_close(Keystore *keystore)
{
	g_atomic_int_set(&keystore->learner_closing, 1);
	if (keystore->learner)
		g_thread_pool_free(keystore->learner, FALSE, TRUE);
	g_clear_pointer(&keystore->carried, g_hash_table_unref);
}

gboolean keystore_learns(const Keystore *keystore)
{
	return keystore->learn_mode != LEARN_MODE_OFF;
}
