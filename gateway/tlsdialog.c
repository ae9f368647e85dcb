/* SPDX-License-Identifier: Apache-2.0
 *
 * One probe of a recipient's mail server. See tlsdialog.h.
 */
#include <arpa/nameser.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <resolv.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/nexthop.h"
#include "gateway/tlsdialog.h"

typedef struct {
	int fd;
	gint64 deadline;
	const char *helo;
	const char *ca_file;
	const char *host; /* of the next hop: what the certificate must name */
	GString *input; /* what came and was not read yet */
} Dialog;

static int milliseconds_left(gint64 deadline)
{
	gint64 left = (deadline - g_get_monotonic_time()) / 1000;

	return (int)CLAMP(left, 0, 60000);
}

static gboolean wait_for(const Dialog *dialog, short events)
{
	struct pollfd poll_fd = {dialog->fd, events, 0};

	return poll(&poll_fd, 1, milliseconds_left(dialog->deadline)) == 1;
}

static gboolean say(Dialog *dialog, const char *text)
{
	gsize length = strlen(text);

	return wait_for(dialog, POLLOUT) &&
	       send(dialog->fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* One line with its line end off; NULL at the end, too late, too long. */
static char *hear_line(Dialog *dialog)
{
	char buffer[512];
	char *newline;

	while (!(newline = strchr(dialog->input->str, '\n'))) {
		ssize_t got =
			wait_for(dialog, POLLIN) ? recv(dialog->fd, buffer, sizeof(buffer), 0) : -1;

		if (got <= 0 || dialog->input->len > TLSDIALOG_REPLY_MAX)
			return NULL;
		g_string_append_len(dialog->input, buffer, got);
		if (strlen(dialog->input->str) != dialog->input->len)
			return NULL;
	}
	char *line = g_strndup(dialog->input->str, (gsize)(newline - dialog->input->str));

	g_string_erase(dialog->input, 0, newline - dialog->input->str + 1);
	return g_strchomp(line);
}

/* A whole reply: its code, 0 if none came. *keyword (may be NULL) is set if a line of it says
 * STARTTLS. */
static int hear_reply(Dialog *dialog, gboolean *starttls)
{
	for (gsize total = 0; total < TLSDIALOG_REPLY_MAX;) {
		g_autofree char *line = hear_line(dialog);

		if (!line || strlen(line) < 3)
			return 0;
		total += strlen(line) + 2;
		if (starttls && strlen(line) > 4 && g_ascii_strcasecmp(line + 4, "STARTTLS") == 0)
			*starttls = TRUE;
		if (line[3] != '-')
			return (int)g_ascii_strtoll(line, NULL, 10);
	}
	return 0;
}

/* Any name of the certificate; the common name counts only where there is no DNS name, as in
 * Postfix. */
static gboolean certificate_names(X509 *certificate, const char *host)
{
	gboolean matches = FALSE, any = FALSE;
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *entry = sk_GENERAL_NAME_value(names, i);

		if (entry->type != GEN_DNS)
			continue;
		any = TRUE;
		g_autofree char *text =
			g_strndup((const char *)ASN1_STRING_get0_data(entry->d.dNSName),
				  (gsize)ASN1_STRING_length(entry->d.dNSName));
		if (strlen(text) == (gsize)ASN1_STRING_length(entry->d.dNSName))
			matches = matches || nexthop_matches(text, host);
	}
	GENERAL_NAMES_free(names);
	if (!any) {
		char common[256] = "";
		int length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
						       NID_commonName, common, sizeof(common));

		matches = length > 0 && strlen(common) == (gsize)length &&
			  nexthop_matches(common, host);
	}
	return matches;
}

static gboolean is_verified(SSL *ssl, const char *host)
{
	X509 *certificate = SSL_get1_peer_certificate(ssl);
	gboolean verified = certificate && SSL_get_verify_result(ssl) == X509_V_OK &&
			    certificate_names(certificate, host);

	X509_free(certificate);
	return verified;
}

/* The handshake on the non-blocking socket. */
static gboolean shake_hands(const Dialog *dialog, SSL *ssl)
{
	for (;;) {
		int result = SSL_connect(ssl);

		if (result == 1)
			return TRUE;
		switch (SSL_get_error(ssl, result)) {
		case SSL_ERROR_WANT_READ:
			if (!wait_for(dialog, POLLIN))
				return FALSE;
			break;
		case SSL_ERROR_WANT_WRITE:
			if (!wait_for(dialog, POLLOUT))
				return FALSE;
			break;
		default: return FALSE;
		}
	}
}

static TlsAbility start_tls(const Dialog *dialog)
{
	TlsAbility ability = TLS_ABILITY_NONE;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;

	/* What no certificate check asks for is checked afterwards: level "encrypt" takes any. */
	if (context) {
		SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
		if (dialog->ca_file)
			SSL_CTX_load_verify_file(context, dialog->ca_file);
		ssl = SSL_new(context);
	}
	if (ssl && SSL_set_fd(ssl, dialog->fd) == 1) {
		if (g_hostname_is_ip_address(dialog->host) == FALSE)
			SSL_set_tlsext_host_name(ssl, dialog->host);
		if (shake_hands(dialog, ssl))
			ability = is_verified(ssl, dialog->host) ? TLS_ABILITY_VERIFIED
								 : TLS_ABILITY_OFFERED;
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	ERR_clear_error();
	return ability;
}

/* The SMTP dialogue up to the handshake. A server that does not speak is unknown, not bad. */
static TlsAbility talk(Dialog *dialog)
{
	g_autofree char *ehlo = g_strdup_printf("EHLO %s\r\n", dialog->helo);
	gboolean offered = FALSE;

	if (hear_reply(dialog, NULL) != 220 || !say(dialog, ehlo) ||
	    hear_reply(dialog, &offered) != 250)
		return TLS_ABILITY_UNKNOWN;
	if (!offered || !say(dialog, "STARTTLS\r\n") || hear_reply(dialog, NULL) != 220) {
		say(dialog, "QUIT\r\n");
		return TLS_ABILITY_NONE;
	}
	/* What a stranger slipped in before the handshake would count as said under TLS. */
	return dialog->input->len > 0 ? TLS_ABILITY_NONE : start_tls(dialog);
}

static gboolean connect_to(Dialog *dialog, const struct addrinfo *address)
{
	int failure = 0;
	socklen_t size = sizeof(failure);

	dialog->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dialog->fd < 0)
		return FALSE;
	if (connect(dialog->fd, address->ai_addr, address->ai_addrlen) == 0)
		return TRUE;
	return wait_for(dialog, POLLOUT) &&
	       getsockopt(dialog->fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0;
}

static TlsAbility try_host(Dialog *dialog, const char *host, guint16 port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	TlsAbility ability = TLS_ABILITY_UNKNOWN;
	g_autofree char *service = g_strdup_printf("%u", port);

	if (getaddrinfo(host, service, &hints, &found) != 0)
		return TLS_ABILITY_UNKNOWN;
	for (struct addrinfo *address = found;
	     address && ability == TLS_ABILITY_UNKNOWN && milliseconds_left(dialog->deadline) > 0;
	     address = address->ai_next) {
		g_string_truncate(dialog->input, 0);
		if (connect_to(dialog, address))
			ability = talk(dialog);
		if (dialog->fd >= 0)
			close(dialog->fd);
	}
	freeaddrinfo(found);
	return ability;
}

typedef struct {
	unsigned preference;
	char *host;
} MxHost;

static void mx_clear(MxHost *mx)
{
	g_free(mx->host);
}

static int compare_mx(gconstpointer a, gconstpointer b)
{
	const MxHost *first = a, *second = b;

	return (first->preference > second->preference) - (first->preference < second->preference);
}

static void read_mx(const unsigned char *answer, int length, GArray *hosts)
{
	ns_msg message;

	if (ns_initparse(answer, length, &message) < 0)
		return;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		ns_rr record;
		char name[NS_MAXDNAME];

		if (ns_parserr(&message, ns_s_an, i, &record) < 0 ||
		    ns_rr_type(record) != ns_t_mx || ns_rr_rdlen(record) < 3 ||
		    dn_expand(ns_msg_base(message), ns_msg_end(message), ns_rr_rdata(record) + 2,
			      name, sizeof(name)) < 0)
			continue;
		MxHost mx = {ns_get16(ns_rr_rdata(record)), g_strdup(name)};

		g_array_append_val(hosts, mx);
	}
	g_array_sort(hosts, compare_mx);
}

/* The domain's mail servers, best first; the domain itself where it names none. */
static GArray *find_mx(const char *domain)
{
	GArray *hosts = g_array_new(FALSE, TRUE, sizeof(MxHost));
	struct __res_state state = {0};
	unsigned char answer[NS_MAXMSG];

	g_array_set_clear_func(hosts, (GDestroyNotify)mx_clear);
	if (res_ninit(&state) == 0) {
		state.retrans = 2;
		state.retry = 1;
		int length = res_nquery(&state, domain, ns_c_in, ns_t_mx, answer, sizeof(answer));

		if (length > 0)
			read_mx(answer, length, hosts);
		res_nclose(&state);
	}
	if (hosts->len == 0) {
		MxHost self = {0, g_strdup(domain)};

		g_array_append_val(hosts, self);
	}
	return hosts;
}

TlsAbility tlsdialog_run(const char *nexthop, const char *ca_file, const char *helo,
			 gint64 deadline)
{
	Dialog dialog = {-1, deadline, helo, ca_file, NULL, NULL};
	TlsAbility ability = TLS_ABILITY_UNKNOWN;
	NextHop hop;

	if (!nexthop_parse(nexthop, &hop))
		return TLS_ABILITY_UNKNOWN;
	dialog.host = hop.host;
	dialog.input = g_string_new(NULL);
	if (!hop.use_mx) {
		ability = try_host(&dialog, hop.host, hop.port);
	} else {
		g_autoptr(GArray) hosts = find_mx(hop.host);

		for (guint i = 0;
		     i < MIN(hosts->len, TLSDIALOG_HOSTS_MAX) && ability == TLS_ABILITY_UNKNOWN;
		     i++)
			ability = try_host(&dialog, g_array_index(hosts, MxHost, i).host, hop.port);
	}
	g_string_free(dialog.input, TRUE);
	nexthop_clear(&hop);
	return ability;
}
