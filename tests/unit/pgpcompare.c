/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pgpcompare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/crypt/pgpopened.h"
#include "lib/crypt/pgpread.h"

#define LIMIT (16 * 1024 * 1024)

PgpCompare *pgp_compare_new(void)
{
	PgpCompare *compare = g_new0(PgpCompare, 1);

	compare->maker = pgp_maker_new();
	compare->runs = g_build_filename(compare->maker->folder, "runs", NULL);
	compare->secrets = g_ptr_array_new_with_free_func(g_free);
	compare->signers = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_autofree char *count = g_strdup_printf("printf x >>%s", compare->runs);
	pgp_maker_wrap(compare->maker, count);
	g_autofree char *folder = g_build_filename(compare->maker->folder, "home", NULL);
	compare->home = pgp_home_open(folder, NULL);
	assert_non_null(compare->home);
	return compare;
}

void pgp_compare_free(PgpCompare *compare)
{
	pgp_home_close(compare->home);
	pgp_maker_free(compare->maker);
	g_ptr_array_unref(compare->secrets);
	g_ptr_array_unref(compare->signers);
	g_free(compare->runs);
	g_free(compare);
}

void pgp_compare_bring(PgpCompare *compare, const char *fingerprint)
{
	g_autoptr(Secret) secret = pgp_maker_secret(compare->maker, fingerprint);
	g_autoptr(GBytes) key = pgp_maker_public(compare->maker, fingerprint);

	assert_true(
		pgp_home_need_secret(compare->home, &(PgpOwnKey){fingerprint, key, secret}, NULL));
}

void pgp_compare_clear(PgpCompare *compare)
{
	g_ptr_array_set_size(compare->secrets, 0);
	g_ptr_array_set_size(compare->signers, 0);
}

guint pgp_compare_runs(const PgpCompare *compare)
{
	g_autofree char *text = NULL;
	gsize size = 0;

	g_file_get_contents(compare->runs, &text, &size, NULL);
	return (guint)size;
}

typedef PgpOpened *(*Open)(PgpHome *home, const PgpOpenJob *job, Source *message, Sink *plain,
			   GError **error);

static PgpOpened *open_with(PgpCompare *compare, Open open, GBytes *message, GBytes **plain)
{
	GByteArray *out = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(out, LIMIT);
	g_autoptr(Source) source = source_new_bytes(message);
	g_autoptr(GError) error = NULL;
	PgpOpenJob job = {compare->secrets, compare->signers, 0};
	PgpOpened *opened = open(compare->home, &job, source, sink, &error);

	if (!opened)
		print_message("# %s\n", error->message);
	assert_non_null(opened);
	*plain = g_byte_array_free_to_bytes(out);
	return opened;
}

static gboolean same_signatures(const GPtrArray *ours, const GPtrArray *theirs)
{
	if (ours->len != theirs->len)
		return FALSE;
	for (guint i = 0; i < ours->len; i++) {
		const PgpSignature *one = ours->pdata[i], *other = theirs->pdata[i];

		if (strcmp(one->result, other->result) != 0 ||
		    g_strcmp0(one->key, other->key) != 0 || one->created != other->created)
			return FALSE;
	}
	return TRUE;
}

static void describe_signatures(const char *who, const GPtrArray *signatures)
{
	for (guint i = 0; i < signatures->len; i++) {
		const PgpSignature *signature = signatures->pdata[i];

		print_message("# %s: %s %s %" G_GINT64_FORMAT "\n", who, signature->result,
			      signature->key, signature->created);
	}
}

static void describe(const char *who, const PgpOpened *opened, GBytes *plain)
{
	print_message("# %s: %s, %s, %s, %zu bytes\n", who,
		      opened->opened ? "opened" : opened->reason, opened->algorithm, opened->key,
		      g_bytes_get_size(plain));
	describe_signatures(who, opened->signatures);
}

PgpOpened *pgp_compare_open(PgpCompare *compare, const char *name, GBytes *message, PgpWay way,
			    GBytes **plain)
{
	g_autoptr(GBytes) first = NULL, ours = NULL, theirs = NULL;
	/* What is asked of gpg once, and kept, is asked here. */
	g_autoptr(PgpOpened) once = open_with(compare, pgp_open, message, &first);
	guint before = pgp_compare_runs(compare);
	g_autoptr(PgpOpened) opened = open_with(compare, pgp_open, message, &ours);
	guint runs = pgp_compare_runs(compare) - before;
	g_autoptr(PgpOpened) by_gpg = open_with(compare, pgp_open_by_gpg, message, &theirs);
	gboolean same = opened->opened == by_gpg->opened &&
			g_strcmp0(opened->reason, by_gpg->reason) == 0 &&
			g_strcmp0(opened->key, by_gpg->key) == 0 &&
			g_strcmp0(opened->algorithm, by_gpg->algorithm) == 0 &&
			same_signatures(opened->signatures, by_gpg->signatures) &&
			(!opened->opened || g_bytes_equal(ours, theirs));

	if (!same || (way == BY_US && runs > 0) || (way == BY_GPG && runs == 0)) {
		describe("ours", opened, ours);
		describe("gpg's", by_gpg, theirs);
		fail_msg("%s: %s, %u starts of gpg", name, same ? "the same" : "differs", runs);
	}
	assert_int_equal(once->opened, opened->opened);
	assert_true(same_signatures(once->signatures, opened->signatures));
	if (plain)
		*plain = g_steal_pointer(&ours);
	return g_steal_pointer(&opened);
}

typedef GPtrArray *(*Verify)(PgpHome *home, const PgpOpenJob *job, const PgpSigned *signed_thing,
			     GError **error);

static GPtrArray *verify_with(PgpCompare *compare, Verify verify, GBytes *signature,
			      GBytes *content)
{
	g_autoptr(Source) armour = source_new_bytes(signature);
	g_autoptr(Source) bytes = source_new_bytes(content);
	const PgpOpenJob job = {NULL, compare->signers, 0};
	const PgpSigned signed_thing = {armour, bytes, NULL};
	GPtrArray *signatures = verify(compare->home, &job, &signed_thing, NULL);

	assert_non_null(signatures);
	return signatures;
}

GPtrArray *pgp_compare_verify(PgpCompare *compare, const char *name, GBytes *signature,
			      GBytes *content, PgpWay way)
{
	g_autoptr(GPtrArray) once = verify_with(compare, pgp_verify, signature, content);
	guint before = pgp_compare_runs(compare);
	g_autoptr(GPtrArray) ours = verify_with(compare, pgp_verify, signature, content);
	guint runs = pgp_compare_runs(compare) - before;
	g_autoptr(GPtrArray) theirs = verify_with(compare, pgp_verify_by_gpg, signature, content);
	gboolean same = same_signatures(ours, theirs) && same_signatures(once, theirs);

	if (!same || (way == BY_US && runs > 0) || (way == BY_GPG && runs == 0)) {
		describe_signatures("ours", ours);
		describe_signatures("gpg's", theirs);
		fail_msg("%s: %s, %u starts of gpg", name, same ? "the same" : "differs", runs);
	}
	return g_steal_pointer(&ours);
}
