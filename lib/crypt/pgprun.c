/* SPDX-License-Identifier: Apache-2.0
 *
 * GPGME's operations under our own event loop. Its synchronous calls wait without a limit, and
 * with select(), which a process of many connections outgrows; so every operation is started and
 * then polled here until it is done or its time is over.
 */
#include "lib/crypt/pgprun.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "lib/base/error.h"

/* One file descriptor that GPGME waits for. */
typedef struct {
	PgpContext *context;
	int fd;
	short events;
	gpgme_io_cb_t call;
	void *call_data;
} Watch;

struct PgpContext {
	gpgme_ctx_t gpgme;
	struct gpgme_io_cbs callbacks;
	GPtrArray *watches; /* of Watch *, owned */
	GPtrArray *keys; /* borrowed, where a listing goes; may be NULL */
	gboolean done;
	gpgme_error_t result;
};

/* GPGME wants this before any other call and not twice at a time: before main() there is only
 * one thread. */
__attribute__((constructor)) static void start_gpgme(void)
{
	gpgme_check_version(NULL);
}

static gpgme_error_t add_watch(void *data, int fd, int reading, gpgme_io_cb_t call, void *call_data,
			       void **tag)
{
	PgpContext *context = data;
	Watch *watch = g_new0(Watch, 1);

	watch->context = context;
	watch->fd = fd;
	watch->events = reading ? POLLIN : POLLOUT;
	watch->call = call;
	watch->call_data = call_data;
	g_ptr_array_add(context->watches, watch);
	*tag = watch;
	return 0;
}

static void remove_watch(void *tag)
{
	Watch *watch = tag;

	g_ptr_array_remove_fast(watch->context->watches, watch);
}

static void on_event(void *data, gpgme_event_io_t type, void *type_data)
{
	PgpContext *context = data;

	if (type == GPGME_EVENT_DONE) {
		struct gpgme_io_event_done_data *done = type_data;
		context->done = TRUE;
		context->result = done->err ? done->err : done->op_err;
	} else if (type == GPGME_EVENT_NEXT_KEY) {
		/* The reference is ours. */
		if (context->keys)
			g_ptr_array_add(context->keys, type_data);
		else
			gpgme_key_unref(type_data);
	}
}

PgpContext *pgp_context_new(const char *folder, GError **error)
{
	g_autoptr(PgpContext) context = g_new0(PgpContext, 1);
	gpgme_error_t failure;

	context->watches = g_ptr_array_new_with_free_func(g_free);
	failure = gpgme_new(&context->gpgme);
	if (!failure)
		failure = gpgme_ctx_set_engine_info(context->gpgme, GPGME_PROTOCOL_OpenPGP, NULL,
						    folder);
	if (!failure)
		failure = gpgme_set_protocol(context->gpgme, GPGME_PROTOCOL_OpenPGP);
	/* Nobody is asked for anything: without a passphrase callback a key that needs one fails. */
	if (!failure)
		failure = gpgme_set_pinentry_mode(context->gpgme, GPGME_PINENTRY_MODE_LOOPBACK);
	if (failure) {
		pgp_set_error(error, failure, "starting GnuPG");
		return NULL;
	}
	gpgme_set_offline(context->gpgme, 1);
	context->callbacks.add = add_watch;
	context->callbacks.add_priv = context;
	context->callbacks.remove = remove_watch;
	context->callbacks.event = on_event;
	context->callbacks.event_priv = context;
	gpgme_set_io_cbs(context->gpgme, &context->callbacks);
	return g_steal_pointer(&context);
}

void pgp_context_free(PgpContext *context)
{
	if (!context)
		return;
	if (context->gpgme)
		gpgme_release(context->gpgme);
	g_ptr_array_unref(context->watches);
	g_free(context);
}

gpgme_ctx_t pgp_context_gpgme(PgpContext *context)
{
	return context->gpgme;
}

/* Calls what is ready. A call may remove this watch and others: each is looked for again. */
static void serve(PgpContext *context, const struct pollfd *polled, Watch *const *watches,
		  guint count)
{
	for (guint i = 0; i < count && !context->done; i++) {
		if (polled[i].revents && g_ptr_array_find(context->watches, watches[i], NULL) &&
		    watches[i]->fd == polled[i].fd)
			watches[i]->call(watches[i]->call_data, watches[i]->fd);
	}
}

/* One round of waiting. FALSE: the time is over. */
static gboolean wait_once(PgpContext *context, gint64 deadline)
{
	gint64 left = deadline - g_get_monotonic_time();
	guint count = context->watches->len;
	g_autofree struct pollfd *polled = g_new0(struct pollfd, count + 1);
	g_autofree Watch **watches = g_memdup2(context->watches->pdata, count * sizeof(Watch *));

	if (left <= 0)
		return FALSE;
	for (guint i = 0; i < count; i++) {
		polled[i].fd = watches[i]->fd;
		polled[i].events = watches[i]->events;
	}
	if (poll(polled, count, (int)MIN(left / 1000 + 1, G_MAXINT)) > 0)
		serve(context, polled, watches, count);
	return TRUE;
}

gboolean pgp_run(PgpContext *context, gpgme_error_t started, gint64 deadline, GPtrArray *keys,
		 GError **error)
{
	if (started) {
		pgp_set_error(error, started, "starting gpg");
		return FALSE;
	}
	context->keys = keys;
	while (!context->done) {
		if (wait_once(context, deadline))
			continue;
		gpgme_cancel(context->gpgme);
		context->done = FALSE;
		g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT, "gpg took too long");
		return FALSE;
	}
	context->done = FALSE;
	context->keys = NULL;
	if (!context->result)
		return TRUE;
	pgp_set_error(error, context->result, "gpg");
	return FALSE;
}

static ErrorCode code_of(gpgme_error_t failure)
{
	switch (gpgme_err_code(failure)) {
	case GPG_ERR_BAD_PASSPHRASE:
	case GPG_ERR_NO_PASSPHRASE: return ERROR_PASSPHRASE;
	case GPG_ERR_UNUSABLE_PUBKEY: return ERROR_KEY_UNUSABLE;
	case GPG_ERR_TIMEOUT: return ERROR_TIMEOUT;
	default: return ERROR_CRYPTO;
	}
}

void pgp_set_error(GError **error, gpgme_error_t failure, const char *what)
{
	char text[256] = "";

	gpgme_strerror_r(failure, text, sizeof(text));
	g_set_error(error, SEALPOST_ERROR, code_of(failure), "%s: %s", what, text);
}

/* --- data --- */

struct PgpData {
	gpgme_data_t gpgme;
	Source *source; /* borrowed, as all below */
	Sink *sink;
	Secret *into;
	gsize *used;
	GError *failure;
};

static ssize_t fail(void)
{
	errno = EIO;
	return -1;
}

static ssize_t read_source(void *handle, void *buffer, size_t size)
{
	PgpData *data = handle;

	if (data->failure || !data->source)
		return fail();
	gssize n = source_read(data->source, buffer, size, &data->failure);
	return n < 0 ? fail() : n;
}

static ssize_t write_secret(PgpData *data, const void *buffer, size_t size)
{
	if (size > secret_size(data->into) - *data->used) {
		g_set_error(&data->failure, SEALPOST_ERROR, ERROR_TOO_LARGE,
			    "secret keys of more than %" G_GSIZE_FORMAT " bytes",
			    secret_size(data->into));
		return fail();
	}
	memcpy(secret_data(data->into) + *data->used, buffer, size);
	*data->used += size;
	return (ssize_t)size;
}

static ssize_t write_sink(void *handle, const void *buffer, size_t size)
{
	PgpData *data = handle;

	if (data->failure)
		return fail();
	if (data->into)
		return write_secret(data, buffer, size);
	if (!data->sink || !sink_write(data->sink, buffer, size, &data->failure))
		return fail();
	return (ssize_t)size;
}

/* Best effort: an older GPGME without these flags only runs slower or wipes less. */
static void set_flags(PgpData *data)
{
	gpgme_data_set_flag(data->gpgme, "io-buffer-size", "65536");
	if (data->into)
		gpgme_data_set_flag(data->gpgme, "sensitive", "1");
}

static const struct gpgme_data_cbs data_callbacks = {.read = read_source, .write = write_sink};

static PgpData *data_new(const PgpData *like, GError **error)
{
	PgpData *data = g_memdup2(like, sizeof(*like));
	gpgme_error_t failure =
		gpgme_data_new_from_cbs(&data->gpgme, (gpgme_data_cbs_t)&data_callbacks, data);

	if (failure) {
		pgp_set_error(error, failure, "starting GnuPG");
		g_free(data);
		return NULL;
	}
	set_flags(data);
	return data;
}

PgpData *pgp_data_new(Source *source, Sink *sink, GError **error)
{
	PgpData data = {.source = source, .sink = sink};

	return data_new(&data, error);
}

PgpData *pgp_data_new_secret(Secret *into, gsize *used, GError **error)
{
	PgpData data = {.into = into, .used = used};

	*used = 0;
	return data_new(&data, error);
}

PgpData *pgp_data_new_bytes(const void *bytes, gsize size, GError **error)
{
	PgpData *data = g_new0(PgpData, 1);
	gpgme_error_t failure = gpgme_data_new_from_mem(&data->gpgme, bytes, size, 0);

	if (!failure)
		return data;
	pgp_set_error(error, failure, "starting GnuPG");
	g_free(data);
	return NULL;
}

gpgme_data_t pgp_data_gpgme(PgpData *data)
{
	return data->gpgme;
}

gboolean pgp_data_failed(PgpData *data, GError **error)
{
	if (!data->failure)
		return FALSE;
	g_clear_error(error);
	g_propagate_error(error, g_steal_pointer(&data->failure));
	return TRUE;
}

void pgp_data_free(PgpData *data)
{
	if (!data)
		return;
	gpgme_data_release(data->gpgme);
	g_clear_error(&data->failure);
	g_free(data);
}
