/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields that a stranger wrote and that become part of what the reader is told: a Subject keeps
 * nothing that looks like our tags, and has ours in front; From and Authentication-Results are judged.
 */
#include <string.h>

#include "lib/mail/headers.h"

#include "gateway/authserv.h"
#include "gateway/fromname.h"
#include "gateway/lookalike.h"
#include "gateway/subject.h"
#include "tests/fuzz/fuzz.h"

#define TAG "[ü]"

/* Longer ones are cut when they are decoded. */
#define LONG 10000

static void check_subject(const char *raw, const char *tags)
{
	SubjectWish wish = {.tags = tags};
	g_autofree char *value = subject_value(raw, &wish);
	g_autofree char *text = header_text_decode(value ? value : raw);

	if (strlen(text) >= LONG)
		return;
	g_assert_true(g_str_has_prefix(text, tags));
	g_autofree char *rest = lookalike_remove(text + strlen(tags));

	g_assert_cmpstr(text + strlen(tags), ==, rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *value = g_strndup((const char *)data, size);
	g_autofree char *name = lookalike_clean_name(value);
	g_autoptr(Headers) headers = headers_new();

	check_subject(value, "");
	check_subject(value, TAG);
	g_assert_true(g_utf8_validate(name, -1, NULL));
	g_assert_null(strchr(name, ']'));
	if (headers_append(headers, "From", value, NULL))
		fromname_lies(headers);
	authserv_claims(value, "gw.firma.example");
	return 0;
}
