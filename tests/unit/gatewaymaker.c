/* SPDX-License-Identifier: Apache-2.0 */
#include <glib/gstdio.h>
#include <string.h>

#include "gateway/head.h"
#include "lib/base/masterkey.h"

#include "tests/unit/gatewaymaker.h"

static char *write_file(const char *folder, const char *name, const char *text)
{
	char *path = g_build_filename(folder, name, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

Snapshot *make_snapshot(const char *rules, const char *settings)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_dir_make_tmp("sp-XXXXXX", NULL);
	g_autofree char *policy = g_strconcat(POLICY_HEAD, rules, NULL);
	g_autofree char *conf_text =
		g_strconcat("[sealpost]\nhostname = gw.firma.example\n"
			    "trusted_networks = 192.0.2.0/24, 2001:db8::/32, 127.0.0.1/32\n"
			    "outgoing_listeners = submission, 587\n"
			    "[keystore]\nsystem_roots = false\n",
			    settings, NULL);
	g_autofree char *policy_path = write_file(folder, "sealpost.policy", policy);
	g_autofree char *path = write_file(folder, "sealpost.conf", conf_text);
	g_autofree char *state = g_build_filename(folder, "state", NULL);
	g_autoptr(Conf) conf = conf_load(path, &error);

	g_assert_no_error(error);
	g_mkdir(state, 0700);
	master_key_create(conf_path(conf, "keystore", "master_key"), &error);
	g_assert_no_error(error);
	keystore_create(conf, &error);
	g_assert_no_error(error);
	Snapshot *snapshot = snapshot_open(conf, &error);

	g_assert_no_error(error);
	return snapshot;
}

void remove_snapshot(Snapshot *snapshot)
{
	g_autofree char *folder =
		g_path_get_dirname(conf_path(snapshot->conf, "sealpost", "policy"));
	const char *argv[] = {"rm", "-rf", folder, NULL};

	snapshot_unref(snapshot);
	g_assert_true(g_str_has_prefix(folder, g_get_tmp_dir()));
	g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
		     NULL);
}

static void feed_body(Job *job, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		receive_body(job, *line, strlen(*line));
		if (line[1])
			receive_body(job, "\r\n", 2);
	}
}

Job *make_job(Snapshot *snapshot, const char *address, const char *from, const char *const *to,
	      const char *text)
{
	Client client = {.address = (char *)address, .port = 1024};
	gsize used = 0;
	g_autoptr(Headers) headers = head_parse(text, strlen(text), &used, NULL);

	gboolean notice = g_strcmp0(address, CLIENT_RETURNED) == 0;

	if (!address || !*address || notice)
		client = (Client){.address = (char *)"127.0.0.1", .port = 0};
	if (notice)
		client.daemon_name = (char *)CLIENT_RETURNED;
	Job *job = job_new(snapshot, &client);

	receive_sender(job, from, NULL);
	for (; *to; to++)
		receive_recipient(job, *to, NULL, NULL);
	for (guint i = 0; i < headers_count(headers); i++)
		receive_header(job, headers_at(headers, i)->name, headers_at(headers, i)->value);
	receive_end_of_headers(job);
	feed_body(job, text + used);
	return job;
}
