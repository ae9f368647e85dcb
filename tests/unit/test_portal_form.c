/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms: what is read, what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/base/error.h"
#include "portal/form.h"

typedef struct {
	const char *body;
	const char *name;
	const char *value; /* NULL: there is no such field */
} Good;

static const Good good[] = {
	{"", "a", NULL},
	{"a=b", "a", "b"},
	{"a=b", "A", NULL},
	{"a=b&c=d", "c", "d"},
	{"&&a=b&", "a", "b"},
	{"a", "a", ""},
	{"a=", "a", ""},
	{"=b", "", "b"},
	{"a=b=c", "a", "b=c"},
	{"a=b+c%20d", "a", "b c d"},
	{"a=%C3%A4%e2%82%AC", "a", "\xc3\xa4\xe2\x82\xac"},
	{"p%61ss=%26%3D%2B%25", "pass", "&=+%"},
};

static const char *const bad[] = {
	"a=%", "a=%4", "a=%zz", "a=%00", "a=%ff", "a=%C3", "a=1&a=2", "%=1", "a=\xff",
};

static void read_well(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(Form) form = form_parse(good[i].body, strlen(good[i].body), NULL);
		const char *value;

		assert_non_null(form);
		value = form_get(form, good[i].name);
		if (g_strcmp0(value, good[i].value) != 0)
			fail_msg("%s: %s", good[i].body, value);
	}
}

static void refused(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		if (form_parse(bad[i], strlen(bad[i]), &error) != NULL)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(error->code, ERROR_MALFORMED);
	}
	assert_null(form_parse("a=b\0c", 5, NULL));
}

static void too_many(void **state)
{
	g_autoptr(GString) body = g_string_new("f=1");
	g_autoptr(GError) error = NULL;
	g_autoptr(Form) form = NULL;

	(void)state;
	for (int i = 1; i < FORM_FIELDS_MAX; i++)
		g_string_append_printf(body, "&f%d=1", i);
	form = form_parse(body->str, body->len, NULL);
	assert_non_null(form);
	g_string_append(body, "&one=more");
	assert_null(form_parse(body->str, body->len, &error));
	assert_int_equal(error->code, ERROR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_well),
		cmocka_unit_test(refused),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests_name("portal_form", tests, NULL, NULL);
}
