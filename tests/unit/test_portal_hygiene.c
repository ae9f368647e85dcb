/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads of requests: what is clean, and with what each unclean one is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "portal/hygiene.h"

#define FIELDS 4

typedef struct {
	guint status;
	const char *method;
	const char *target;
	const char *version;
	const char *fields[FIELDS]; /* "name\nvalue" */
} Case;

#define HOST "Host\nlocalhost"
#define GET "GET", "/login", "HTTP/1.1"
#define POST "POST", "/login", "HTTP/1.1"

static const Case cases[] = {
	{0, GET, {HOST}},
	{0, GET, {HOST, "Accept-Language\nde,en;q=0.5", "X-Empty\n"}},
	{0, GET, {HOST, "Content-Length\n0"}},
	{0, "HEAD", "/", "HTTP/1.1", {HOST}},
	{0, POST, {HOST, "content-length\n16384"}},
	{413, POST, {HOST, "Content-Length\n16385"}},
	{413, POST, {HOST, "Content-Length\n999999999999999999"}},
	{400, POST, {HOST, "Content-Length\n9999999999999999999"}},
	{400, POST, {HOST, "Content-Length\n-1"}},
	{400, POST, {HOST, "Content-Length\n+1"}},
	{400, POST, {HOST, "Content-Length\n1 1"}},
	{400, POST, {HOST, "Content-Length\n"}},
	{400, POST, {HOST, "Content-Length\n0x1"}},
	{400, POST, {HOST, "Content-Length\n1", "CONTENT-LENGTH\n1"}},
	{411, POST, {HOST}},
	{400, POST, {HOST, "Transfer-Encoding\nchunked"}},
	{400, POST, {HOST, "Content-Length\n1", "transfer-encoding\nidentity"}},
	{400, GET, {HOST, "Content-Length\n1"}},
	{400, GET, {NULL}},
	{400, GET, {HOST, HOST}},
	{400, GET, {HOST, "\nvalue"}},
	{400, GET, {HOST, "X A\nvalue"}},
	{400, GET, {HOST, "X-A \nvalue"}},
	{400, GET, {HOST, "X\x01\nvalue"}},
	{400, GET, {HOST, "X-A\nva\rlue"}},
	{400, GET, {HOST, "X-A\nva\x7flue"}},
	{400, GET, {HOST, "X-A\nva\xfflue"}},
	{0, GET, {HOST, "X-A\nva\tlue"}},
	{505, "GET", "/login", "HTTP/1.0", {HOST}},
	{505, "GET", "/login", "HTTP/1.9", {HOST}},
	{505, "GET", "/login", "http/1.1", {HOST}},
	{400, "GET", "https://localhost/login", "HTTP/1.1", {HOST}},
	{400, "GET", "*", "HTTP/1.1", {HOST}},
	{400, "GET", "", "HTTP/1.1", {HOST}},
	{400, "GET", "/a b", "HTTP/1.1", {HOST}},
	{400, "GET", "/\xc3\xa4", "HTTP/1.1", {HOST}},
	{400, "", "/", "HTTP/1.1", {HOST}},
	{400, "GET\x01", "/", "HTTP/1.1", {HOST}},
};

static guint check(const Case *row, gssize more)
{
	HygieneField fields[FIELDS];
	HygieneHead head = {row->method, row->target, row->version, strlen(row->target), fields};

	head.size = strlen(row->method) + strlen(row->target) + strlen(row->version) + 6 + more;
	for (gsize i = 0; i < FIELDS && row->fields[i] != NULL; i++) {
		const char *cut = strchr(row->fields[i], '\n');

		fields[i] = (HygieneField){row->fields[i], cut - row->fields[i], cut + 1,
					   strlen(cut + 1)};
		head.size += fields[i].name_size + fields[i].value_size + 4;
		head.field_count++;
	}
	return hygiene_check(&head);
}

static void each_case(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		if (check(&cases[i], 0) != cases[i].status)
			fail_msg("case %zu: %u instead of %u", i, check(&cases[i], 0),
				 cases[i].status);
}

/* One byte more or less than the fields have: something was hidden. */
static void hidden_bytes(void **state)
{
	(void)state;
	assert_int_equal(check(&cases[0], 1), 400);
	assert_int_equal(check(&cases[0], -1), 400);
}

static void limits(void **state)
{
	HygieneField fields[HTTP_FIELDS_MAX + 1];
	g_autofree char *path = g_strnfill(HTTP_TARGET_MAX + 1, '/');
	HygieneHead head = {"GET", path, "HTTP/1.1", 1, fields, HTTP_FIELDS_MAX + 1, 0};

	(void)state;
	for (gsize i = 0; i <= HTTP_FIELDS_MAX; i++)
		fields[i] = (HygieneField){"X", 1, "y", 1};
	assert_int_equal(hygiene_check(&head), 400);
	path[HTTP_TARGET_MAX] = '\0';
	assert_int_equal(hygiene_check(&head), 431);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case),
		cmocka_unit_test(hidden_bytes),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests_name("portal_hygiene", tests, NULL, NULL);
}
