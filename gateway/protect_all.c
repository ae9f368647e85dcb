/* SPDX-License-Identifier: Apache-2.0
 *
 * All variants of a message, before the first one leaves. See protect.h. A copy of 30 MB for each
 * technology takes seconds, and the MTA waits: so large ones are made side by side.
 */
#include "lib/base/error.h"

#include "gateway/protect.h"

/* From this size on a thread is worth its while; most threads for one message. */
#define SIDE_BY_SIDE ((goffset)1024 * 1024)
#define THREADS_MAX 4

typedef struct {
	const Job *job;
	const Parsed *parsed;
	const Plan *plan;
	GHashTable *done;
	gint64 stop_at; /* monotonic: no further one is begun or made to its end; 0: all are made */
	gint begun, made; /* so many */
	const guint *order; /* of the variants: which is made when */
	gint next; /* the place in it that the next free thread takes */
	GPtrArray *outputs; /* a place for each variant; every thread writes its own places */
	GMutex lock;
	GError *error; /* the first one; under lock */
} Work;

static gboolean is_done(const PlanVariant *variant, GHashTable *done)
{
	g_auto(GStrv) addresses = plan_variant_addresses(variant);

	for (char **address = addresses; *address; address++)
		if (!done || !g_hash_table_contains(done, *address))
			return FALSE;
	return TRUE;
}

static gboolean has_failed(Work *work)
{
	g_mutex_lock(&work->lock);
	gboolean failed = work->error != NULL;

	g_mutex_unlock(&work->lock);
	return failed;
}

static void keep_error(Work *work, GError *error)
{
	g_mutex_lock(&work->lock);
	if (!work->error)
		work->error = g_steal_pointer(&error);
	g_mutex_unlock(&work->lock);
	g_clear_error(&error);
}

/* Half of the time is for making them, half for sending. The first is made in any case. */
static gint64 when_to_stop(const Job *job)
{
	gint64 now = g_get_monotonic_time();

	return job->preview || !job->trusted ? 0 : now + MAX(job->deadline - now, 0) / 2;
}

/* The first has half of the rest, too: what could not be sent then comes too late at any try. */
static gint64 deadline_of(const Work *work, gboolean first)
{
	if (!work->stop_at)
		return work->job->deadline;
	return first ? work->stop_at + (work->job->deadline - work->stop_at) / 2 : work->stop_at;
}

static gboolean must_stop(Work *work)
{
	return work->stop_at && g_atomic_int_get(&work->made) > 0 &&
	       g_get_monotonic_time() >= work->stop_at;
}

/* FALSE: the message fails. A further one that is late is left out: at the next try it is the first,
 * which must be made. */
static gboolean make(Work *work, guint index, GError **error)
{
	gboolean must = g_atomic_int_add(&work->begun, 1) == 0 || !work->stop_at;
	ProtectJob order = {.job = work->job,
			    .parsed = work->parsed,
			    .plan = work->plan,
			    .variant = work->plan->variants->pdata[index],
			    .deadline = deadline_of(work, must)};
	const gint64 before = job_cpu();
	g_autoptr(GError) failure = NULL;
	Output *output = protect(&order, &failure);

	if (!output && !failure)
		g_set_error(&failure, SEALPOST_ERROR, ERROR_INTERNAL,
			    "a copy failed without a word");
	work->outputs->pdata[index] = output;
	if (output)
		g_atomic_int_inc(&work->made);
	else if (must && job_was_costly(work->job, job_cpu() - before, failure))
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_COSTLY, "%s", failure->message);
	else if (must || !g_error_matches(failure, SEALPOST_ERROR, ERROR_TIMEOUT))
		g_propagate_error(error, g_steal_pointer(&failure));
	return !*error;
}

static gpointer run(gpointer data)
{
	Work *work = data;
	guint count = work->plan->variants->len;

	while (!has_failed(work)) {
		guint place = (guint)g_atomic_int_add(&work->next, 1);
		GError *error = NULL;

		if (place >= count)
			break;
		guint index = work->order[place];

		if (is_done(work->plan->variants->pdata[index], work->done))
			continue;
		if (must_stop(work))
			break;
		if (!make(work, index, &error))
			keep_error(work, error);
	}
	return NULL;
}

static void run_side_by_side(Work *work)
{
	GThread *threads[THREADS_MAX] = {NULL};
	guint wanted = 1;

	/* To count the processors is a look into /sys each time. */
	if (work->plan->variants->len > 1 && spool_length(work->job->message) >= SIDE_BY_SIDE)
		wanted = MIN(MIN(work->plan->variants->len, g_get_num_processors()), THREADS_MAX);
	for (guint i = 1; i < wanted; i++)
		threads[i] = g_thread_try_new("protect", run, work, NULL);
	run(work);
	for (guint i = 1; i < wanted; i++)
		if (threads[i])
			g_thread_join(threads[i]);
}

/* Copies for an archive first; the others in their order. New array. */
static guint *order_of(const Plan *plan)
{
	guint *order = g_new(guint, plan->variants->len + 1), used = 0;

	for (int copies = 1; copies >= 0; copies--)
		for (guint i = 0; i < plan->variants->len; i++)
			if (plan_is_copy(plan->variants->pdata[i]) == copies)
				order[used++] = i;
	return order;
}

GPtrArray *protect_all(const Job *job, const Parsed *parsed, const Plan *plan, GHashTable *done,
		       GError **error)
{
	g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func((GDestroyNotify)output_free);
	g_autofree guint *order = order_of(plan);
	Work work = {.job = job,
		     .parsed = parsed,
		     .plan = plan,
		     .order = order,
		     .done = done,
		     .outputs = outputs,
		     .stop_at = when_to_stop(job)};

	g_ptr_array_set_size(outputs, (gint)plan->variants->len);
	g_mutex_init(&work.lock);
	run_side_by_side(&work);
	g_mutex_clear(&work.lock);
	if (work.error) {
		g_propagate_error(error, work.error);
		return NULL;
	}
	return g_steal_pointer(&outputs);
}
