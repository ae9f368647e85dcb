/* SPDX-License-Identifier: Apache-2.0
 *
 * `sealpost explain`: what would happen to the message on standard input, and why. The gateway's
 * own pipeline, without delivering, storing or learning anything. Exit status: 0 it would leave,
 * 75 it would be deferred, 77 it would be refused, 64 wrong use, 78 wrong configuration.
 */
#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/error.h"

#include "gateway/explain.h"
#include "gateway/intake.h"
#include "gateway/receive.h"

#include "cli/cli.h"

/* A stranger's address for --incoming without --client (RFC 5737). */
#define SOMEBODY "192.0.2.1"

typedef struct {
	gboolean incoming, json;
	char *from, *client, *tls, *output;
	char **to;
} Options;

static void options_clear(Options *options)
{
	g_free(options->from);
	g_free(options->client);
	g_free(options->tls);
	g_free(options->output);
	g_strfreev(options->to);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean read_options(int *argc, char ***argv, Options *options)
{
	const GOptionEntry entries[] = {
		{"incoming", 'i', 0, G_OPTION_ARG_NONE, &options->incoming,
		 "The client is a stranger", NULL},
		{"from", 'f', 0, G_OPTION_ARG_STRING, &options->from,
		 "Envelope sender; empty for the null sender", "ADDRESS"},
		{"to", 't', 0, G_OPTION_ARG_STRING_ARRAY, &options->to,
		 "Envelope recipient; may be repeated", "ADDRESS"},
		{"client", 0, 0, G_OPTION_ARG_STRING, &options->client,
		 "IP address of the SMTP client", "IP"},
		{"tls", 0, 0, G_OPTION_ARG_STRING, &options->tls,
		 "The client came over this TLS, such as 1.3", "VERSION"},
		{"json", 'j', 0, G_OPTION_ARG_NONE, &options->json, "JSON instead of text", NULL},
		{"output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		 "Write what would leave, one N.eml for each variant", "FOLDER"},
		{NULL},
	};

	if (!cli_options(entries, "< MESSAGE", "Says what would happen to a message, and why.",
			 argc, argv))
		return FALSE;
	if (options->client && !g_hostname_is_ip_address(options->client)) {
		fprintf(stderr, "sealpost explain: --client %s is no IP address\n",
			options->client);
		return FALSE;
	}
	if (*argc == 1 && options->from && options->to)
		return TRUE;
	fputs("sealpost explain: --from and --to are needed, the message comes on standard "
	      "input\n",
	      stderr);
	return FALSE;
}

/* Without --client it is one of us, by the `sendmail` command, or, for --incoming, somebody. */
static Job *make_job(Snapshot *snapshot, const Options *options)
{
	char *somebody = (char *)SOMEBODY, *ourselves = (char *)"127.0.0.1";
	g_autofree char *tls = options->tls ? g_strconcat("TLSv", options->tls, NULL) : NULL;
	Client client = {.address = options->incoming ? somebody : ourselves,
			 .port = options->incoming ? 1024 : 0,
			 .tls_version = tls};

	if (options->client) {
		client.address = options->client;
		client.port = 1024;
	}
	Job *job = job_new(snapshot, &client);

	receive_sender(job, options->from, NULL);
	for (char **to = options->to; *to; to++)
		receive_recipient(job, *to, NULL, NULL);
	return job;
}

static int show(const Job *job, const Preview *preview, const Options *options)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text =
		options->json ? explain_json(job, preview) : explain_text(job, preview);

	if (options->output) {
		if (g_mkdir_with_parents(options->output, 0700) != 0)
			error_set_errno(&error, errno, options->output);
		/* A failure of ours must not look like a verdict. */
		if (error || !explain_write(job, preview, options->output, &error)) {
			cli_fail(error);
			return EX_CANTCREAT;
		}
	}
	fputs(text, stdout);
	if (options->json)
		fputc('\n', stdout);
	switch (explain_verdict(preview)) {
	case HANDBACK_DEFER: return EX_TEMPFAIL;
	case HANDBACK_REJECT: return EX_NOPERM;
	case HANDBACK_ACCEPT:
	case HANDBACK_DISCARD: break;
	}
	return EX_OK;
}

int cli_explain(int argc, char **argv)
{
	g_auto(Options) options = {0};
	g_autoptr(GError) error = NULL;

	if (!read_options(&argc, &argv, &options))
		return EX_USAGE;
	g_autoptr(Conf) conf = cli_conf();

	if (!conf)
		return EX_CONFIG;
	g_autoptr(Snapshot) snapshot = snapshot_open_for_explain(conf, &error);
	g_autoptr(Spool) input = snapshot ? intake_read(snapshot, STDIN_FILENO, &error) : NULL;

	if (!snapshot)
		return cli_fail(error);
	if (!input) {
		cli_fail(error);
		return EX_IOERR;
	}
	g_autoptr(Job) job = make_job(snapshot, &options);

	if (!intake_feed(job, input, &error))
		return cli_fail(error);
	g_autoptr(Preview) preview = pipeline_preview(job);

	return show(job, preview, &options);
}
