/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/log.h"

static int saved_stderr;
static char *capture_path;

static void capture_start(void)
{
	int fd = g_file_open_tmp("sealpost-log-XXXXXX", &capture_path, NULL);

	assert_true(fd >= 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static char *capture_end(void)
{
	char *text = NULL;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	assert_true(g_file_get_contents(capture_path, &text, NULL, NULL));
	g_unlink(capture_path);
	g_clear_pointer(&capture_path, g_free);
	return text;
}

static void test_one_line_each(void **state)
{
	(void)state;
	log_open("test", LOG_LEVEL_INFO, FALSE, "salt");
	capture_start();
	log_info("queue=%s", "A\nforged line\r\x1b[31m\xff");
	log_debug("not shown");
	g_autofree char *text = capture_end();
	assert_non_null(strstr(text, "info: queue=A?forged line??[31m"));
	assert_true(g_utf8_validate(text, -1, NULL));
	assert_null(strstr(text, "not shown"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void test_hashed_addresses(void **state)
{
	(void)state;
	log_open("test", LOG_LEVEL_INFO, TRUE, "salt");
	g_autofree char *a = log_address("alice@firma.example");
	g_autofree char *same = log_address("Alice@Firma.example");
	g_autofree char *b = log_address("bob@firma.example");
	assert_true(g_str_has_prefix(a, "h:"));
	assert_int_equal(strlen(a), 18);
	assert_string_equal(a, same);
	assert_string_not_equal(a, b);
	log_configure(LOG_LEVEL_INFO, FALSE);
	g_autofree char *plain = log_address("alice@firma.example");
	assert_string_equal(plain, "alice@firma.example");
}

/* Wherever in a line an address comes from: it is the same hash. */
static void test_addresses_in_texts(void **state)
{
	static const char *const rows[][2] = {
		{"lookup: alice@firma.example: ldap down", "lookup: %s: ldap down"},
		{"for <Alice@firma.example>, (alice@firma.example)", "for <%s>, (%s)"},
		{"a@ b, @c, @ and mailto:alice@firma.example", "a@ b, @c, @ and mailto:%s"},
		{"@alice@firma.example", "@%s"},
	};
	static const char *const odd[] = {
		"max'mustermann@firma.example", "max=mustermann/max@firma.example",
		"\"max mustermann\"@firma.example", "\"max \\\"the\\\" must\"@firma.example",
		"\"max@mustermann\"@firma.example"};

	(void)state;
	log_open("test", LOG_LEVEL_INFO, TRUE, "salt");
	g_autofree char *hash = log_address("alice@firma.example");
	for (gsize i = 0; i < G_N_ELEMENTS(odd); i++) {
		capture_start();
		log_info("not for <%s>, nor \"others\"", odd[i]);
		g_autofree char *text = capture_end();
		assert_null(strstr(text, "max"));
		assert_null(strstr(text, "must"));
		assert_non_null(strstr(text, ", nor \"others\""));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(GStrv) parts = g_strsplit(rows[i][1], "%s", -1);
		g_autofree char *expected = g_strjoinv(hash, parts);
		capture_start();
		log_info("%s", rows[i][0]);
		g_autofree char *text = capture_end();
		assert_non_null(strstr(text, expected));
	}
}

/* Each code has its own row; class, code and enhanced code agree; strangers are temporary. */
static void test_error_table(void **state)
{
	g_autoptr(GError) foreign = g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_PERM, "x");

	(void)state;
	for (int code = 0; code < ERROR_CODES; code++) {
		const ErrorInfo *info = error_info_for((ErrorCode)code);
		assert_int_equal(info->code, code);
		assert_int_equal(info->smtp / 100, info->class == ERROR_TEMPORARY ? 4 : 5);
		assert_int_equal(info->enhanced[0] - '0', info->smtp / 100);
		assert_true(strlen(info->text) < 100);
	}
	assert_int_equal(error_info(foreign)->class, ERROR_TEMPORARY);
	assert_int_equal(error_info(NULL)->class, ERROR_TEMPORARY);
	g_autoptr(GError) full = NULL;
	assert_false(error_set_errno(&full, ENOSPC, "spool"));
	assert_int_equal(error_info(full)->smtp, 452);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_line_each),
		cmocka_unit_test(test_hashed_addresses),
		cmocka_unit_test(test_addresses_in_texts),
		cmocka_unit_test(test_error_table),
	};

	return cmocka_run_group_tests_name("base_log", tests, NULL, NULL);
}
