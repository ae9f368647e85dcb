/* SPDX-License-Identifier: Apache-2.0
 *
 * Many messages the outgoing way, without an MTA: CONF OUT SENDER RECIPIENT… as arguments, one
 * file name a line on standard input. Each is received, decided and protected as the daemon does
 * it, all in one process; what would leave lies in OUT/NUMBER/N.eml. A line for each: its number,
 * verdict, and the variants' ways.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/explain.h"
#include "gateway/intake.h"
#include "gateway/receive.h"

static Job *receive_file(Snapshot *snapshot, const char *path, char **envelope, GError **error)
{
	Client client = {.address = (char *)"127.0.0.1"};
	g_autoptr(Job) job = job_new(snapshot, &client);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	g_autoptr(Spool) message = fd >= 0 ? intake_read(snapshot, fd, error) : NULL;

	if (fd >= 0)
		close(fd);
	receive_sender(job, envelope[0], NULL);
	for (char **to = envelope + 1; *to; to++)
		receive_recipient(job, *to, NULL, NULL);
	return message && intake_feed(job, message, error) ? g_steal_pointer(&job) : NULL;
}

static gboolean run_one(Snapshot *snapshot, const char *path, char **envelope, const char *out)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Job) job = receive_file(snapshot, path, envelope, &error);

	if (!job) {
		fprintf(stderr, "%s: %s\n", path, error ? error->message : g_strerror(errno));
		return FALSE;
	}
	g_autoptr(Preview) preview = pipeline_preview(job);

	printf("%s", handback_verdict_name(explain_verdict(preview)));
	for (guint i = 0; preview->outputs && i < preview->outputs->len; i++) {
		const PlanVariant *variant = preview->plan->variants->pdata[i];

		printf(" %s", plan_variant_way(variant));
	}
	printf("%s%s\n", preview->error ? " " : "", preview->error ? preview->error->message : "");
	mkdir(out, 0700);
	return explain_write(job, preview, out, &error);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Conf) conf = argc > 4 ? conf_load(argv[1], &error) : NULL;
	g_autoptr(Snapshot) snapshot = conf ? snapshot_open_for_explain(conf, &error) : NULL;
	char line[4096];

	if (!snapshot) {
		fprintf(stderr, "%s\n", error ? error->message : "wrong use");
		return 2;
	}
	for (guint number = 0; fgets(line, sizeof(line), stdin); number++) {
		g_autofree char *out = g_strdup_printf("%s/%u", argv[2], number);

		printf("%u ", number);
		if (!run_one(snapshot, g_strchomp(line), argv + 3, out))
			return 1;
	}
	return 0;
}
