/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates and the text catalogue: escaping, languages, and that nothing is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gio/gio.h>
#include <string.h>

#include "portal/format.h"
#include "portal/resources.h"
#include "portal/template.h"

static void languages(void **state)
{
	static const struct {
		const char *header;
		Language expected;
	} cases[] = {
		{NULL, LANGUAGE_EN},
		{"", LANGUAGE_EN},
		{"de", LANGUAGE_DE},
		{"DE-at", LANGUAGE_DE},
		{"den", LANGUAGE_EN},
		{"fr;q=1, de;q=0.1", LANGUAGE_DE},
		{"de;q=0.4, en;q=0.5", LANGUAGE_EN},
		{"en;q=0.5,de", LANGUAGE_DE},
		{"de;q=0", LANGUAGE_EN},
		{",,;q=,de;q=x", LANGUAGE_EN},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_int_equal(language_accepted(cases[i].header, LANGUAGE_EN),
				 cases[i].expected);
}

static void same_keys_in_all_languages(void **state)
{
	g_autoptr(Texts) texts = texts_new();

	(void)state;
	for (int from = 0; from < LANGUAGE_COUNT; from++) {
		g_auto(GStrv) keys = texts_keys(texts, from);

		assert_true(g_strv_length(keys) > 50);
		for (int to = 0; to < LANGUAGE_COUNT; to++)
			for (gsize i = 0; keys[i] != NULL; i++)
				if (texts_find(texts, to, keys[i]) == NULL)
					fail_msg("%s: no %s", language_code(to), keys[i]);
	}
}

/* Every {{t:key}} of every template is in the catalogue, and the template renders. */
static void check_template(const Texts *texts, const char *name)
{
	g_autofree char *path = g_strconcat("/templates/", name, NULL);
	g_autoptr(GBytes) bytes =
		g_resource_lookup_data(portal_resources_get_resource(), path, 0, NULL);
	g_autofree char *source = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	g_autoptr(Values) values = values_new(texts, LANGUAGE_DE);
	g_autofree char *rendered = template_render(name, values);

	for (const char *at = source; (at = strstr(at, "{{t:")) != NULL; at++) {
		g_autofree char *key = g_strndup(at + 4, strcspn(at + 4, "}"));

		if (texts_find(texts, LANGUAGE_DE, key) == NULL)
			fail_msg("%s: no text %s", name, key);
	}
	assert_null(strstr(rendered, "{{"));
	assert_null(strstr(rendered, "SPDX"));
	assert_null(strstr(rendered, "<script"));
}

static void templates_are_complete(void **state)
{
	g_autoptr(Texts) texts = texts_new();
	g_auto(GStrv) names = g_resource_enumerate_children(portal_resources_get_resource(),
							    "/templates", 0, NULL);
	guint count = 0;

	(void)state;
	for (gsize i = 0; names[i] != NULL; i++) {
		if (g_str_has_suffix(names[i], ".ini"))
			continue;
		check_template(texts, names[i]);
		count++;
	}
	assert_true(count > 15);
}

static void values_are_escaped(void **state)
{
	g_autoptr(Texts) texts = texts_new();
	g_autoptr(Values) values = values_new(texts, LANGUAGE_EN);
	g_autofree char *alert = NULL;
	g_autofree char *text = NULL;
	g_autofree char *broken = html_escape("a\xff<");

	(void)state;
	values_set(values, "problem", "<b title=\"x\" id='y'>&amp;{{csrf}}{{t:login.title}}");
	values_set(values, "csrf", "TOKEN");
	alert = template_render("alert.html", values);
	assert_non_null(strstr(alert, "&lt;b title=&quot;x&quot; id=&apos;y&apos;&gt;&amp;amp;"));
	assert_null(strstr(alert, "TOKEN"));
	assert_null(strstr(alert, "Log in"));
	values_set(values, "sender", "A & <B>");
	text = template_render("notice.txt", values);
	assert_non_null(strstr(text, "A & <B> has sent you"));
	assert_string_equal(broken, "a\xef\xbf\xbd&lt;");
}

static void dates_and_sizes(void **state)
{
	static const struct {
		gint64 size;
		const char *german;
		const char *english;
	} cases[] = {
		{0, "0 Bytes", "0 bytes"},     {999, "999 Bytes", "999 bytes"},
		{1000, "1 KB", "1 KB"},	       {12345, "12 KB", "12 KB"},
		{1234567, "1,2 MB", "1.2 MB"}, {31457280, "31,5 MB", "31.5 MB"},
	};
	g_autoptr(Texts) texts = texts_new();
	g_autoptr(Values) german = values_new(texts, LANGUAGE_DE);
	g_autoptr(Values) english = values_new(texts, LANGUAGE_EN);
	g_autoptr(GDateTime) time = g_date_time_new_utc(2026, 3, 1, 9, 5, 7);
	g_autofree char *date = format_date(german, g_date_time_to_unix(time));
	g_autofree char *other = format_date(english, g_date_time_to_unix(time));
	g_autofree char *mail = format_rfc5322_date(time);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *de = format_size(german, cases[i].size);
		g_autofree char *en = format_size(english, cases[i].size);

		assert_string_equal(de, cases[i].german);
		assert_string_equal(en, cases[i].english);
	}
	assert_string_equal(date, "1. März 2026");
	assert_string_equal(other, "1 March 2026");
	assert_string_equal(mail, "Sun, 1 Mar 2026 09:05:07 +0000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(languages),
		cmocka_unit_test(same_keys_in_all_languages),
		cmocka_unit_test(templates_are_complete),
		cmocka_unit_test(values_are_escaped),
		cmocka_unit_test(dates_and_sizes),
	};

	return cmocka_run_group_tests_name("portal_template", tests, NULL, NULL);
}
