/* SPDX-License-Identifier: Apache-2.0
 *
 * What the portal reads of strangers: forms, languages, HTML that is defanged.
 */
#include <string.h>

#include "portal/form.h"
#include "portal/letterhtml.h"
#include "portal/letterlinks.h"
#include "portal/quoted.h"
#include "portal/template.h"
#include "tests/fuzz/fuzz.h"

static void check_html(const char *text)
{
	g_autofree char *html = letterhtml_defang(text);
	g_autofree char *again = letterhtml_defang(html);
	g_autofree char *lower = g_ascii_strdown(html, -1);
	g_autofree char *escaped = html_escape(text);
	g_autofree char *linked = letterlinks_html(text);

	g_assert_true(g_utf8_validate(linked, -1, NULL));
	g_assert_true(strstr(lower, "http") != NULL || strpbrk(linked, "<>\"'") == NULL);
	g_assert_cmpstr(html, ==, again);
	g_assert_null(strstr(lower, "<iframe"));
	g_assert_null(strstr(lower, "<meta"));
	g_assert_null(strpbrk(escaped, "<>\"'"));
	g_assert_true(g_utf8_validate(escaped, -1, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(Form) form = form_parse((const char *)data, size, NULL);
	g_autofree char *quoted = quoted_encode(text);
	const char *value = form != NULL ? form_get(form, "password") : NULL;

	g_assert_true(value == NULL || g_utf8_validate(value, -1, NULL));
	g_assert_true(language_accepted(text, LANGUAGE_EN) < LANGUAGE_COUNT);
	g_assert_true(g_str_is_ascii(quoted));
	check_html(text);
	return 0;
}
