/* SPDX-License-Identifier: Apache-2.0
 *
 * The SMTP dialogue: greeting, envelope, data. A message is taken for all recipients or for none.
 */
#include "lib/mail/smtp.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/mail/address.h"
#include "lib/mail/smtpwire.h"

/* Most lines of one reply. */
#define REPLY_LINES_MAX 100
/* Longest value of an ESMTP parameter (RFC 3461: ENVID 100, ORCPT 500). */
#define PARAMETER_MAX 512
#define END_OF_DATA "end of data" /* a step's name in errors */

typedef struct {
	int code;
	GString *text; /* the last line, after the code */
} Reply;

typedef struct {
	Wire *wire;
	Reply reply;
	gint64 last_dot; /* when it must have been sent */
	gboolean has_8bitmime;
	gboolean has_dsn;
	gboolean has_size;
	gboolean has_smtputf8;
} Session;

static void session_clear(Session *session)
{
	wire_close(session->wire);
	g_string_free(session->reply.text, TRUE);
}

static void note_extension(Session *session, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 2);

	if (words[0] == NULL)
		return;
	if (g_ascii_strcasecmp(words[0], "8BITMIME") == 0)
		session->has_8bitmime = TRUE;
	else if (g_ascii_strcasecmp(words[0], "DSN") == 0)
		session->has_dsn = TRUE;
	else if (g_ascii_strcasecmp(words[0], "SIZE") == 0)
		session->has_size = TRUE;
	else if (g_ascii_strcasecmp(words[0], "SMTPUTF8") == 0)
		session->has_smtputf8 = TRUE;
}

static gboolean is_reply_line(const char *line)
{
	return g_ascii_isdigit(line[0]) && g_ascii_isdigit(line[1]) && g_ascii_isdigit(line[2]) &&
	       (line[3] == ' ' || line[3] == '-' || line[3] == '\0');
}

/* Reads one reply of one or several lines; all must have the same code. */
static gboolean read_reply(Session *session, gboolean ehlo, GError **error)
{
	g_autoptr(GString) line = g_string_new(NULL);
	Reply *reply = &session->reply;
	int code = 0;

	for (int i = 0; i < REPLY_LINES_MAX; i++) {
		if (!wire_read_line(session->wire, line, error))
			return FALSE;
		if (!is_reply_line(line->str) ||
		    (i > 0 && g_ascii_strtoll(line->str, NULL, 10) != code))
			break;
		code = (int)g_ascii_strtoll(line->str, NULL, 10);
		if (ehlo && i > 0 && line->len > 4)
			note_extension(session, line->str + 4);
		if (line->str[3] == '-')
			continue;
		reply->code = code;
		g_string_assign(reply->text, line->len > 4 ? line->str + 4 : "");
		return TRUE;
	}
	g_set_error(error, SEALPOST_ERROR, ERROR_RESUBMIT, "resubmission: not an SMTP reply");
	return FALSE;
}

/* "5.1.1" of "5.1.1 <bob@x>: unknown": what may be logged of a reply. */
static char *enhanced_code(const char *text)
{
	return g_strndup(text, strspn(text, "0123456789."));
}

/* What a milter behind that listener says of a virus will not change, nor what is said for good of this
 * recipient or this message; the rest is about us, and may. */
static ErrorCode code_of(const char *step, int code, const char *enhanced)
{
	gboolean end = g_str_equal(step, END_OF_DATA);

	if (code / 100 != 5 || (!end && !g_str_equal(step, "RCPT")))
		return ERROR_RESUBMIT;
	return end && g_str_has_prefix(enhanced, "5.7.") ? ERROR_REFUSED : ERROR_UNDELIVERABLE;
}

static gboolean expect(Session *session, const char *step, int code, GError **error)
{
	g_autofree char *enhanced = NULL;

	if (!read_reply(session, FALSE, error))
		return FALSE;
	if (session->reply.code == code ||
	    (code == 250 && (session->reply.code == 251 || session->reply.code == 252)))
		return TRUE;
	enhanced = enhanced_code(session->reply.text->str);
	g_set_error(error, SEALPOST_ERROR, code_of(step, session->reply.code, enhanced),
		    "resubmission: %s answered by %d %s", step, session->reply.code, enhanced);
	return FALSE;
}

static gboolean command(Session *session, const GString *line, int code, GError **error)
{
	g_autofree char *step = g_strndup(line->str, strcspn(line->str, " \r"));

	return wire_write(session->wire, line->str, line->len, error) &&
	       expect(session, step, code, error);
}

static gboolean greet(Session *session, const char *helo, GError **error)
{
	g_autofree char *line = g_strdup_printf("EHLO %s\r\n", helo);

	if (!expect(session, "connect", 220, error) ||
	    !wire_write(session->wire, line, strlen(line), error) ||
	    !read_reply(session, TRUE, error))
		return FALSE;
	if (session->reply.code == 250)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_RESUBMIT, "resubmission: EHLO answered by %d",
		    session->reply.code);
	return FALSE;
}

static void add_parameter(GString *line, const char *name, const char *value)
{
	if (value != NULL && *value != '\0')
		g_string_append_printf(line, " %s=%s", name, value);
}

static gboolean send_sender(Session *session, const SmtpEnvelope *envelope, goffset size,
			    GError **error)
{
	g_autoptr(GString) line = g_string_new(NULL);

	if (envelope->smtputf8 && !session->has_smtputf8) {
		g_set_error(error, SEALPOST_ERROR, ERROR_RESUBMIT,
			    "resubmission: the server does not announce SMTPUTF8");
		return FALSE;
	}
	g_string_printf(line, "MAIL FROM:<%s>", envelope->sender);
	if (session->has_size)
		g_string_append_printf(line, " SIZE=%" G_GOFFSET_FORMAT, size);
	if (session->has_8bitmime)
		add_parameter(line, "BODY", envelope->body);
	if (envelope->smtputf8)
		g_string_append(line, " SMTPUTF8");
	if (session->has_dsn) {
		add_parameter(line, "RET", envelope->ret);
		add_parameter(line, "ENVID", envelope->envid);
	}
	g_string_append(line, "\r\n");
	return command(session, line, 250, error);
}

static gboolean send_recipients(Session *session, const SmtpEnvelope *envelope, GError **error)
{
	g_autoptr(GString) line = g_string_new(NULL);

	for (guint i = 0; i < envelope->recipient_count; i++) {
		const SmtpRecipient *recipient = &envelope->recipients[i];

		g_string_printf(line, "RCPT TO:<%s>", recipient->address);
		if (session->has_dsn) {
			add_parameter(line, "NOTIFY", recipient->notify);
			add_parameter(line, "ORCPT", recipient->orcpt);
		}
		g_string_append(line, "\r\n");
		if (!command(session, line, 250, error))
			return FALSE;
	}
	return TRUE;
}

/* The way of a message's bytes to the wire: line ends made CRLF, dots doubled, sent in chunks. */
typedef struct {
	Wire *wire;
	GByteArray *pending;
	gboolean line_start;
	gboolean after_cr;
} DataSink;

static gboolean data_flush(DataSink *data, GError **error)
{
	if (!wire_write(data->wire, data->pending->data, data->pending->len, error))
		return FALSE;
	g_byte_array_set_size(data->pending, 0);
	return TRUE;
}

static void data_line_end(DataSink *data)
{
	g_byte_array_append(data->pending, (const guint8 *)"\r\n", 2);
	data->line_start = TRUE;
}

static gboolean data_write(void *self, const void *bytes, gsize size, GError **error)
{
	DataSink *data = self;
	const guint8 *p = bytes;
	const guint8 *end = p + size;

	while (p < end) {
		const guint8 *start = p;

		if (*p == '\r' || *p == '\n') {
			if (*p == '\r' || !data->after_cr)
				data_line_end(data);
			data->after_cr = *p++ == '\r';
			continue;
		}
		if (data->line_start && *p == '.')
			g_byte_array_append(data->pending, p, 1);
		while (p < end && *p != '\r' && *p != '\n')
			p++;
		g_byte_array_append(data->pending, start, (guint)(p - start));
		data->line_start = FALSE;
		data->after_cr = FALSE;
		if (data->pending->len >= STREAM_CHUNK && !data_flush(data, error))
			return FALSE;
	}
	return data->pending->len < STREAM_CHUNK || data_flush(data, error);
}

static void data_destroy(void *self)
{
	DataSink *data = self;

	g_byte_array_unref(data->pending);
	g_free(data);
}

static const SinkClass data_class = {data_write, data_destroy};

/* The dot makes the message the server's, whether we hear it or not. */
static gboolean may_end(const Session *session, GError **error)
{
	if (g_get_monotonic_time() < session->last_dot)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_TIMEOUT,
		    "resubmission: no time is left for the answer");
	return FALSE;
}

static gboolean send_message(Session *session, const SmtpMessage *message, GError **error)
{
	DataSink *data = g_new0(DataSink, 1);
	g_autoptr(Sink) sink = sink_new(&data_class, data);

	data->wire = session->wire;
	data->pending = g_byte_array_new();
	data->line_start = TRUE;
	if (!headers_write(message->headers, HEADERS_ALL, sink, error) ||
	    !sink_write(sink, "\r\n", 2, error) || !stream_copy(message->body, sink, error) ||
	    !may_end(session, error))
		return FALSE; /* without the last dot: the server takes nothing */
	if (!data->line_start)
		data_line_end(data);
	g_byte_array_append(data->pending, (const guint8 *)".\r\n", 3);
	return data_flush(data, error) && expect(session, END_OF_DATA, 250, error);
}

static gboolean is_parameter(const char *value)
{
	if (value == NULL)
		return TRUE;
	for (const char *p = value; *p != '\0'; p++)
		if (*p <= ' ' || *p == 0x7f || p - value >= PARAMETER_MAX)
			return FALSE;
	return TRUE;
}

static gboolean check_address(const char *address, GError **error)
{
	g_autofree char *mailbox = address_from_path(address, error);

	if (mailbox == NULL)
		return FALSE;
	if (strcmp(mailbox, address) == 0)
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_BAD_ADDRESS, "an address in brackets");
	return FALSE;
}

/* Nothing in the envelope may end a command early or begin another. */
static gboolean check_envelope(const SmtpServer *server, const SmtpEnvelope *envelope,
			       GError **error)
{
	gboolean clean = is_parameter(server->helo) && is_parameter(envelope->body) &&
			 is_parameter(envelope->ret) && is_parameter(envelope->envid) &&
			 envelope->recipient_count > 0;

	if (!check_address(envelope->sender, error))
		return FALSE;
	for (guint i = 0; i < envelope->recipient_count; i++) {
		const SmtpRecipient *recipient = &envelope->recipients[i];

		if (!check_address(recipient->address, error))
			return FALSE;
		clean = clean && *recipient->address != '\0' && is_parameter(recipient->notify) &&
			is_parameter(recipient->orcpt);
	}
	if (!clean)
		g_set_error(error, SEALPOST_ERROR, ERROR_MALFORMED,
			    "resubmission: no recipients, or a parameter that cannot be sent");
	return clean;
}

/* What the message will need at most, for SIZE (RFC 1870): an estimate is allowed. */
static goffset message_size(const SmtpMessage *message)
{
	goffset size = 2 + source_length(message->body);

	for (guint i = 0; i < headers_count(message->headers); i++) {
		const Header *header = headers_at(message->headers, i);

		size += (goffset)(strlen(header->name) + strlen(header->value) + 3);
	}
	return size;
}

static gboolean transact(Session *session, const SmtpEnvelope *envelope, const SmtpMessage *message,
			 GError **error)
{
	g_autoptr(GString) data = g_string_new("DATA\r\n");

	return send_sender(session, envelope, message_size(message), error) &&
	       send_recipients(session, envelope, error) && command(session, data, 354, error);
}

/* Ends the transaction after a refusal; what the server says to it changes nothing. */
static void give_up(Session *session)
{
	if (wire_write(session->wire, "RSET\r\n", 6, NULL) && read_reply(session, FALSE, NULL))
		wire_write(session->wire, "QUIT\r\n", 6, NULL);
}

gboolean smtp_check_endpoint(const char *endpoint, GError **error)
{
	return wire_check_endpoint(endpoint, error);
}

gboolean smtp_send(const SmtpServer *server, const SmtpEnvelope *envelope,
		   const SmtpMessage *message, char **queue_id, GError **error)
{
	Session session = {.reply.text = g_string_new(NULL),
			   .last_dot = server->deadline - server->answer_time};
	gboolean sent = FALSE;

	if (check_envelope(server, envelope, error))
		session.wire = wire_connect(server->endpoint, server->deadline, error);
	if (session.wire != NULL && greet(&session, server->helo, error)) {
		if (!transact(&session, envelope, message, error))
			give_up(&session);
		else
			sent = send_message(&session, message, error);
	}
	if (sent) {
		wire_write(session.wire, "QUIT\r\n", 6, NULL);
		if (queue_id != NULL)
			*queue_id = g_strdup(session.reply.text->str);
	}
	session_clear(&session);
	return sent;
}
