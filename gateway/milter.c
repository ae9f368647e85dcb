/* SPDX-License-Identifier: Apache-2.0
 *
 * The only door to libmilter. See milter.h. Debian's libmilter may run each callback of a session
 * on another thread, never two of one session at once: all state hangs on the session.
 */
#include <errno.h>
#include <libmilter/mfapi.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/log.h"

#include "gateway/milter.h"
#include "gateway/pipeline.h"
#include "gateway/receive.h"
#include "gateway/ticker.h"

/* What one call to smfi_replacebody() takes. */
#define BODY_CHUNK 65535

/* Callbacks without a reply: the MTA need not wait. RCPT needs one where a rule demands TLS. */
#define NO_REPLIES (SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY)
#define NOT_NEEDED (SMFIP_NOHELO | SMFIP_NOUNKNOWN | SMFIP_NODATA)
#define ACTIONS (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY | SMFIF_CHGFROM)

/* One SMTP session, which may carry several messages. */
typedef struct {
	Client client;
	Job *job; /* the message under way; NULL between messages */
	unsigned long options; /* SMFIP_* that were agreed on */
} Session;

/* libmilter's callbacks get nothing but their session, and it has one listener in a process: the
 * one place where state cannot be handed down. */
static struct {
	GMutex lock;
	Snapshot *snapshot; /* under lock */
	Ticker *ticker;
	char *endpoint;
	gboolean unix_socket;
	void (*on_split)(void *context);
	void *on_split_context;
} milter;

void milter_set_snapshot(Snapshot *snapshot)
{
	g_mutex_lock(&milter.lock);
	Snapshot *old = milter.snapshot;

	milter.snapshot = snapshot ? snapshot_ref(snapshot) : NULL;
	g_mutex_unlock(&milter.lock);
	snapshot_unref(old);
}

Snapshot *milter_snapshot(void)
{
	g_mutex_lock(&milter.lock);
	Snapshot *snapshot = milter.snapshot ? snapshot_ref(milter.snapshot) : NULL;

	g_mutex_unlock(&milter.lock);
	return snapshot;
}

void milter_on_split(void (*notify)(void *context), void *context)
{
	milter.on_split = notify;
	milter.on_split_context = context;
}

guint milter_busy(void)
{
	Ticker *ticker = g_atomic_pointer_get(&milter.ticker);

	return ticker ? ticker_busy(ticker) : 0;
}

static sfsistat go_on(const Session *session, unsigned long no_reply)
{
	return session && (session->options & no_reply) ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static void end_message(Session *session)
{
	g_clear_pointer(&session->job, job_free);
}

/* The macros are asked for here, so that main.cf needs no list of them. A list replaces the MTA's
 * own for that stage: each names all that is wanted there. Each has one that every MTA always says:
 * where none came, libmilter would keep those of the message or recipient before, a login or a next
 * hop among them. */
static void ask_macros(SMFICTX *context)
{
	static const struct {
		int stage;
		const char *macros;
	} lists[] = {
		{SMFIM_CONNECT, "j {daemon_name} {daemon_port}"},
		{SMFIM_ENVFROM, "j {auth_authen} {tls_version} {cipher}"},
		{SMFIM_ENVRCPT, "j {rcpt_host}"},
		{SMFIM_EOH, "i"},
		{SMFIM_EOM, "i"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
		g_autofree char *macros = g_strdup(lists[i].macros);

		smfi_setsymlist(context, lists[i].stage, macros);
	}
}

/* What libmilter passes to xxfi_negotiate: what the MTA offers, what we want. */
#define NEGOTIATION                                                                                \
	SMFICTX *context, unsigned long actions, unsigned long options, unsigned long unused2,     \
		unsigned long unused3, unsigned long *wanted_actions,                              \
		unsigned long *wanted_options, unsigned long *wanted2, unsigned long *wanted3

static sfsistat on_negotiate(NEGOTIATION)
{
	unsigned long wanted = SMFIP_HDR_LEADSPC | NOT_NEEDED;
	g_autoptr(Snapshot) snapshot = milter_snapshot();
	Session *session;

	(void)unused2;
	(void)unused3;
	if ((actions & ACTIONS) != ACTIONS) {
		log_error("the MTA does not let us edit messages");
		return SMFIS_REJECT;
	}
	if (milter.unix_socket)
		wanted |= NO_REPLIES;
	if (milter.unix_socket && snapshot && !policy_asks_tls(snapshot->policy))
		wanted |= SMFIP_NR_RCPT;
	session = g_new0(Session, 1);
	session->options = options & wanted;
	smfi_setpriv(context, session);
	if (actions & SMFIF_SETSYMLIST)
		ask_macros(context);
	*wanted_actions = ACTIONS | (actions & SMFIF_SETSYMLIST);
	*wanted_options = session->options;
	*wanted2 = *wanted3 = 0;
	return SMFIS_CONTINUE;
}

static void set_address(Client *client, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (address && address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;

		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		client->port = ntohs(v4->sin_port);
	} else if (address && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;

		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		client->port = ntohs(v6->sin6_port);
	}
	client->address = *text ? g_strdup(text) : NULL;
}

static char *macro(SMFICTX *context, const char *name)
{
	g_autofree char *key = g_strdup(name);

	return g_strdup(smfi_getsymval(context, key));
}

static sfsistat on_connect(SMFICTX *context, char *hostname, struct sockaddr *address)
{
	Session *session = smfi_getpriv(context);

	(void)hostname;
	if (!session)
		return SMFIS_TEMPFAIL; /* see on_sender() */
	set_address(&session->client, address);
	session->client.daemon_name = macro(context, "{daemon_name}");
	session->client.daemon_port = macro(context, "{daemon_port}");
	return go_on(session, SMFIP_NR_CONN);
}

static void refresh(char **field, char *value)
{
	g_free(*field);
	*field = value;
}

/* Without a negotiation there is no session: whoever speaks here did not begin with one, or a new
 * client came by the same connection (SMFIC_QUIT_NC), for which libmilter negotiates no more. All
 * that could follow is out of order then, and libmilter does not pass it on. */
static sfsistat on_sender(SMFICTX *context, char **args)
{
	Session *session = smfi_getpriv(context);

	if (!session)
		return SMFIS_TEMPFAIL;
	g_autoptr(Snapshot) snapshot = milter_snapshot();
	Client *client = &session->client;

	end_message(session);
	if (!snapshot)
		return go_on(session, SMFIP_NR_MAIL);
	refresh(&client->sasl_user, macro(context, "{auth_authen}"));
	refresh(&client->tls_version, macro(context, "{tls_version}"));
	refresh(&client->tls_cipher, macro(context, "{cipher}"));
	session->job = job_new(snapshot, client);
	session->job->mta_name = macro(context, "j");
	receive_sender(session->job, args[0], (const char *const *)args + 1);
	return go_on(session, SMFIP_NR_MAIL);
}

/* In a reply's text the MTA reads "%%" as "%". */
static void set_reply(SMFICTX *context, const Handback *handback)
{
	g_auto(GStrv) pieces = g_strsplit(handback->text, "%", -1);
	g_autofree char *text = g_strjoinv("%%", pieces);
	g_autofree char *code = g_strdup_printf("%d", handback->code);
	g_autofree char *enhanced = g_strdup(handback->enhanced);

	smfi_setreply(context, code, enhanced, text);
}

static sfsistat on_recipient(SMFICTX *context, char **args)
{
	Session *session = smfi_getpriv(context);
	g_autofree char *nexthop = macro(context, "{rcpt_host}");
	g_autoptr(GError) refusal = NULL;

	/* What cannot be said now is said at the end of the message. Postfix logs it. */
	if (session->job && !(session->options & SMFIP_NR_RCPT) &&
	    !receive_may_come(session->job, args[0], &refusal)) {
		g_autoptr(Handback) handback = handback_error(refusal);

		set_reply(context, handback);
		return SMFIS_REJECT;
	}
	if (session->job)
		receive_recipient(session->job, args[0], (const char *const *)args + 1, nexthop);
	return go_on(session, SMFIP_NR_RCPT);
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
	Session *session = smfi_getpriv(context);

	if (!session->job)
		return go_on(session, SMFIP_NR_HDR);
	if (session->options & SMFIP_HDR_LEADSPC) {
		receive_header(session->job, name, value);
	} else {
		g_autofree char *spaced = g_strconcat(" ", value, NULL);

		receive_header(session->job, name, spaced);
	}
	return go_on(session, SMFIP_NR_HDR);
}

static sfsistat on_end_of_headers(SMFICTX *context)
{
	Session *session = smfi_getpriv(context);

	if (session->job) {
		refresh(&session->job->queue_id, macro(context, "i"));
		receive_end_of_headers(session->job);
	}
	return go_on(session, SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *context, unsigned char *data, size_t size)
{
	Session *session = smfi_getpriv(context);

	if (session->job)
		receive_body(session->job, data, size);
	return go_on(session, SMFIP_NR_BODY);
}

/* Added and changed values carry their own leading blank if that was agreed on. */
static const char *wire_value(const Session *session, const char *value)
{
	gboolean spaced = (session->options & SMFIP_HDR_LEADSPC) != 0;

	return !spaced && value && *value == ' ' ? value + 1 : value;
}

static int carry_out_edit(SMFICTX *context, const Edit *edit, char *value)
{
	switch (edit->kind) {
	case EDIT_ADD: return smfi_addheader(context, edit->name, value);
	case EDIT_INSERT: return smfi_insheader(context, 0, edit->name, value);
	case EDIT_CHANGE:
	case EDIT_DELETE: break;
	}
	return smfi_chgheader(context, edit->name, (int)edit->nth, value);
}

static gboolean carry_out_edits(SMFICTX *context, const GPtrArray *edits)
{
	const Session *session = smfi_getpriv(context);

	for (guint i = 0; i < edits->len; i++) {
		const Edit *edit = edits->pdata[i];
		char *value = (char *)wire_value(session, edit->value);

		if (carry_out_edit(context, edit, value) != MI_SUCCESS)
			return FALSE;
	}
	return TRUE;
}

static gboolean carry_out_body(SMFICTX *context, const Output *output)
{
	g_autofree unsigned char *buffer = g_malloc(BODY_CHUNK);
	goffset at = output->body_range.start;

	while (at < output->body_range.end) {
		gsize size = (gsize)MIN(BODY_CHUNK, output->body_range.end - at);
		gssize got = spool_read(output->body, at, buffer, size, NULL);

		if (got <= 0 || smfi_replacebody(context, buffer, (int)got) != MI_SUCCESS)
			return FALSE;
		at += got;
	}
	return TRUE;
}

/* What was opened must not come back in the clear in a bounce of the MTA's: with RET=HDRS it
 * carries the header fields only. */
static gboolean carry_out_sender(SMFICTX *context, const Output *output)
{
	const Session *session = smfi_getpriv(context);
	g_autofree char *sender = g_strdup_printf("<%s>", session->job->sender.address);
	g_autofree char *params = g_strdup("RET=HDRS");

	return !output->opened || smfi_chgfrom(context, sender, params) == MI_SUCCESS;
}

static sfsistat carry_out(SMFICTX *context, const Handback *handback)
{
	switch (handback->verdict) {
	case HANDBACK_ACCEPT:
		if (carry_out_edits(context, handback->output->edits) &&
		    carry_out_sender(context, handback->output) &&
		    (!handback->output->body || carry_out_body(context, handback->output)))
			return SMFIS_CONTINUE;
		log_warning("the MTA did not take our edits");
		return SMFIS_TEMPFAIL;
	case HANDBACK_DISCARD: return SMFIS_DISCARD;
	case HANDBACK_REJECT: set_reply(context, handback); return SMFIS_REJECT;
	case HANDBACK_DEFER: set_reply(context, handback); break;
	}
	return SMFIS_TEMPFAIL;
}

/* Over TCP the first call after the MTA hung up still succeeds. */
static gboolean still_waits(void *context)
{
	if (smfi_progress(context) != MI_SUCCESS)
		return FALSE;
	if (milter.unix_socket)
		return TRUE;
	g_usleep(5000);
	return smfi_progress(context) == MI_SUCCESS;
}

static sfsistat on_end_of_message(SMFICTX *context)
{
	Session *session = smfi_getpriv(context);
	g_autoptr(Handback) handback = NULL;
	sfsistat answer;

	/* Begun while we were ending, or out of order: nothing is known of it. */
	if (!session->job)
		return SMFIS_TEMPFAIL;
	if (!session->job->queue_id)
		session->job->queue_id = macro(context, "i");
	ticker_enter(milter.ticker);
	handback = pipeline_run(session->job, still_waits, context);
	answer = carry_out(context, handback);
	pipeline_wait(session->job, handback);
	ticker_leave(milter.ticker);
	end_message(session);
	if (answer == SMFIS_DISCARD && milter.on_split)
		milter.on_split(milter.on_split_context);
	return answer;
}

static sfsistat on_abort(SMFICTX *context)
{
	Session *session = smfi_getpriv(context);

	if (session)
		end_message(session);
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *context)
{
	Session *session = smfi_getpriv(context);

	if (session) {
		end_message(session);
		client_clear(&session->client);
		g_free(session);
		smfi_setpriv(context, NULL);
	}
	return SMFIS_CONTINUE;
}

/* libmilter's spelling: "unix:PATH", "inet:PORT@HOST". New string; NULL if it is neither. */
static char *listener_name(const char *endpoint)
{
	const char *host, *port;

	if (g_str_has_prefix(endpoint, "unix:"))
		return g_strdup(endpoint);
	if (!g_str_has_prefix(endpoint, "inet:"))
		return NULL;
	host = endpoint + strlen("inet:");
	port = strrchr(host, ':');
	if (!port)
		return NULL;
	g_autofree char *name = g_strndup(host, (gsize)(port - host));

	if (*name == '[') {
		g_autofree char *inside = g_strndup(name + 1, strlen(name) - 2);

		return g_strdup_printf("inet6:%s@%s", port + 1, inside);
	}
	return g_strdup_printf("inet:%s@%s", port + 1, name);
}

/* The socket belongs to the user that we will be, so that he can replace it; the MTA comes in by
 * its group. */
static gboolean set_access(const char *path, int mode, const char *owner, GError **error)
{
	const struct passwd *user = owner && *owner && geteuid() == 0 ? getpwnam(owner) : NULL;

	if (user && chown(path, user->pw_uid, user->pw_gid) != 0)
		return error_set_errno(error, errno, path);
	return chmod(path, (mode_t)mode) == 0 || error_set_errno(error, errno, path);
}

gboolean milter_listen(const char *endpoint, int mode, const char *owner, GError **error)
{
	static const struct smfiDesc callbacks = {
		.xxfi_name = (char *)"sealpost",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = ACTIONS | SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_sender,
		.xxfi_envrcpt = on_recipient,
		.xxfi_header = on_header,
		.xxfi_eoh = on_end_of_headers,
		.xxfi_body = on_body,
		.xxfi_eom = on_end_of_message,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};
	g_autofree char *name = listener_name(endpoint);

	milter.unix_socket = g_str_has_prefix(endpoint, "unix:");
	errno = 0; /* where libmilter leaves its reason, if it has one */
	if (!name || smfi_setconn(name) != MI_SUCCESS || smfi_register(callbacks) != MI_SUCCESS ||
	    smfi_opensocket(TRUE) != MI_SUCCESS) {
		g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG, "[gateway] listen: %s: %s",
			    endpoint, errno ? g_strerror(errno) : "cannot be opened");
		return FALSE;
	}
	if (milter.unix_socket && !set_access(endpoint + strlen("unix:"), mode, owner, error))
		return FALSE;
	milter.endpoint = g_strdup(endpoint);
	return TRUE;
}

gboolean milter_run(void)
{
	g_assert(milter.endpoint && milter.snapshot);
	g_atomic_pointer_set(&milter.ticker, ticker_new(milter.endpoint));
	return smfi_main() == MI_SUCCESS;
}

/* smfi_stop() waits for a lock that the listener holds while it sleeps, five seconds at a time: a
 * tick wakes it. */
void milter_stop(void)
{
	Ticker *ticker = g_atomic_pointer_get(&milter.ticker);

	if (ticker)
		ticker_enter(ticker);
	smfi_stop();
	if (ticker)
		ticker_leave(ticker);
}
