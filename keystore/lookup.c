/* SPDX-License-Identifier: Apache-2.0
 *
 * Look-ups in the background: a private pool of threads; equal questions under way share one job.
 * A job outlives the look-ups that wait for it, and they may outlive the pool.
 */
#include "keystore/inside.h"

#include "lib/base/error.h"
#include "lib/mail/address.h"

typedef struct {
	gint refs;
	char *address; /* folded, if it is one */
	char *spelled; /* as it was asked for */
	GMutex lock;
	GCond done;
	KeyAnswer *answer; /* NULL: under way */
} Job;

struct LookupPool {
	Keystore *keystore;
	GThreadPool *threads;
	GMutex lock;
	GHashTable *under_way; /* by their spelling, borrowed from the threads' queue */
	gint closing;
};

struct KeyLookup {
	Job *job;
};

static Job *job_new(const char *address, const char *spelled)
{
	Job *job = g_new0(Job, 1);

	job->refs = 1;
	job->address = g_strdup(address);
	job->spelled = g_strdup(spelled);
	g_mutex_init(&job->lock);
	g_cond_init(&job->done);
	return job;
}

static Job *job_ref(Job *job)
{
	g_atomic_int_inc(&job->refs);
	return job;
}

static void job_unref(Job *job)
{
	if (!job || !g_atomic_int_dec_and_test(&job->refs))
		return;
	key_answer_free(job->answer);
	g_mutex_clear(&job->lock);
	g_cond_clear(&job->done);
	g_free(job->address);
	g_free(job->spelled);
	g_free(job);
}

static void job_finish(Job *job, KeyAnswer *answer)
{
	g_mutex_lock(&job->lock);
	job->answer = answer;
	g_cond_broadcast(&job->done);
	g_mutex_unlock(&job->lock);
}

static KeyAnswer *failed_answer(const char *address, ErrorCode code, const char *text)
{
	KeyAnswer *answer = key_answer_new(address);

	answer->failure = g_error_new_literal(SEALPOST_ERROR, (gint)code, text);
	return answer;
}

KeyAnswer *key_answer_late(const char *address)
{
	return failed_answer(address, ERROR_TIMEOUT, "the key look-up took too long");
}

static void work(gpointer data, gpointer user_data)
{
	LookupPool *pool = user_data;
	Job *job = data;
	KeyAnswer *answer =
		g_atomic_int_get(&pool->closing)
			? failed_answer(job->address, ERROR_LOOKUP, "the key look-up was ended")
			: keystore_ask(pool->keystore, job->address, job->spelled);

	g_mutex_lock(&pool->lock);
	g_hash_table_remove(pool->under_way, job->spelled);
	g_mutex_unlock(&pool->lock);
	job_finish(job, answer);
	job_unref(job);
}

LookupPool *lookup_pool_new(Keystore *keystore, int threads, GError **error)
{
	LookupPool *pool = g_new0(LookupPool, 1);
	g_autoptr(GError) cause = NULL;

	pool->keystore = keystore;
	g_mutex_init(&pool->lock);
	pool->under_way = g_hash_table_new(g_str_hash, g_str_equal);
	/* Not exclusive: a thread is started when there is work for it. */
	pool->threads = g_thread_pool_new(work, pool, threads, FALSE, &cause);
	if (pool->threads)
		return pool;
	g_set_error(error, SEALPOST_ERROR, ERROR_INTERNAL, "look-up threads: %s", cause->message);
	lookup_pool_free(pool);
	return NULL;
}

void lookup_pool_free(LookupPool *pool)
{
	if (!pool)
		return;
	g_atomic_int_set(&pool->closing, 1);
	if (pool->threads)
		g_thread_pool_free(pool->threads, FALSE, TRUE);
	g_hash_table_unref(pool->under_way);
	g_mutex_clear(&pool->lock);
	g_free(pool);
}

static KeyLookup *lookup_for(Job *job)
{
	KeyLookup *lookup = g_new0(KeyLookup, 1);

	lookup->job = job;
	return lookup;
}

KeyLookup *keystore_lookup(Keystore *keystore, const char *address)
{
	LookupPool *pool = keystore->pool;
	g_autofree char *folded = address_fold(address);

	if (!folded) {
		/* Nobody has a key for what is no address; the MTA knows more such than we. */
		Job *job = job_new(address, address);
		job_finish(job, key_answer_new(address));
		return lookup_for(job);
	}
	if (keystore_is_at_hand(keystore, folded)) {
		/* Handing it to a thread would take longer. */
		Job *job = job_new(folded, address);
		job_finish(job, keystore_ask(keystore, folded, address));
		return lookup_for(job);
	}
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&pool->lock);
	Job *job = g_hash_table_lookup(pool->under_way, address);
	if (job)
		return lookup_for(job_ref(job));
	job = job_new(folded, address);
	g_hash_table_insert(pool->under_way, job->spelled, job);
	/* A thread that cannot be started leaves the job queued for those that run. */
	g_thread_pool_push(pool->threads, job_ref(job), NULL);
	return lookup_for(job);
}

KeyAnswer *key_lookup_wait(KeyLookup *lookup, gint64 deadline)
{
	Job *job = lookup->job;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&job->lock);

	while (!job->answer)
		if (!g_cond_wait_until(&job->done, &job->lock, deadline))
			break;
	if (job->answer)
		return key_answer_copy(job->answer);
	return key_answer_late(job->address);
}

void key_lookup_free(KeyLookup *lookup)
{
	if (!lookup)
		return;
	job_unref(lookup->job);
	g_free(lookup);
}
