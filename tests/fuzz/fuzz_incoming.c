/* SPDX-License-Identifier: Apache-2.0
 *
 * A stranger's message on its whole way through the gateway, up to the finished copies: for one
 * recipient who has the key that the corpus is encrypted to, and one who has none.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/explain.h"
#include "gateway/intake.h"
#include "gateway/pipeline.h"
#include "gateway/protect.h"
#include "gateway/receive.h"
#include "keystore/inside.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/nobody.h"
#include "tests/unit/gatewaymaker.h"

#define OWNER "fuzz@firma.example"
#define OTHER "other@firma.example"

static Snapshot *made;

static void remove_made(void)
{
	remove_snapshot(made);
}

/* Made once. */
static Snapshot *installation(void)
{
	if (made)
		return made;
	made = make_snapshot("outgoing require smime\n", NULL);
	g_autoptr(Cert) cert = nobody_cert();
	g_autoptr(PrivateKey) key = nobody_key();
	Store *store = made->keystore->store;
	StoreChange change;

	g_assert_true(store_put_cert(store, cert, FALSE, &change, NULL));
	g_assert_true(store_put_private(store, cert_fingerprint(cert), key, &change, NULL));
	atexit(remove_made);
	return made;
}

static Job *receive(Spool *message)
{
	Client stranger = {.address = (char *)"198.51.100.7", .port = 1024};
	Job *job = job_new(installation(), &stranger);

	receive_sender(job, "someone@outside.example", NULL);
	receive_recipient(job, OWNER, NULL, NULL);
	receive_recipient(job, OTHER, NULL, NULL);
	intake_feed(job, message, NULL);
	return job;
}

/* What only its owner may read stays shut for the other. */
static void check_other(const Plan *plan)
{
	for (guint i = 0; i < plan->recipients->len; i++) {
		const PlanRecipient *outcome = plan->recipients->pdata[i];

		if (strcmp(outcome->recipient->address, OTHER) == 0)
			g_assert_true(!outcome->opened || !outcome->opened->decrypted);
	}
}

static void check_outputs(const Job *job, const Preview *preview)
{
	for (guint i = 0; i < preview->outputs->len; i++) {
		const Output *output = preview->outputs->pdata[i];
		g_autoptr(Headers) headers = output_headers(job, output, NULL);
		g_autoptr(Source) body = output_body(job, output);

		g_assert_nonnull(body);
		g_assert_true(!headers || headers_count_name(headers, "X-Sealpost-Incoming") <= 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(Spool) message = spool_new(NULL, G_MAXINT32);

	if (!spool_append(message, data, size, NULL))
		return 0;
	g_autoptr(Job) job = receive(message);
	g_autoptr(Preview) preview = pipeline_preview(job);
	g_autofree char *json = explain_json(job, preview);
	g_autofree char *text = explain_text(job, preview);

	g_assert_true(g_utf8_validate(json, -1, NULL));
	g_assert_nonnull(text);
	if (preview->plan)
		check_other(preview->plan);
	if (preview->outputs)
		check_outputs(job, preview);
	return 0;
}
