/* SPDX-License-Identifier: Apache-2.0
 *
 * A header field's value: decoded, encoded anew, and written without becoming two fields.
 */
#include <string.h>

#include "lib/mail/headers.h"
#include "tests/fuzz/fuzz.h"

/* One field: "X:" and lines that all begin with a blank or tab. */
static void check_written(const char *value)
{
	g_autoptr(Headers) headers = headers_new();
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(Sink) sink = sink_new_bytes(bytes, 2 * HEADERS_BYTES_MAX);

	if (!headers_append(headers, "X", value, NULL))
		return;
	g_assert_true(headers_write(headers, HEADERS_ALL, sink, NULL));
	g_assert_true(bytes->len >= 4 && memcmp(bytes->data, "X:", 2) == 0);
	g_assert_true(memcmp(bytes->data + bytes->len - 2, "\r\n", 2) == 0);
	for (guint i = 0; i + 2 < bytes->len; i++) {
		if (bytes->data[i] == '\r')
			g_assert_true(bytes->data[i + 1] == '\n');
		if (bytes->data[i] == '\n')
			g_assert_true(bytes->data[i + 1] == ' ' || bytes->data[i + 1] == '\t');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *value = g_strndup((const char *)data, size);
	g_autofree char *text = header_text_decode(value);
	g_autofree char *encoded = header_encode_text("X", text);
	g_autofree char *again = header_text_decode(encoded);

	g_assert_true(g_utf8_validate(text, -1, NULL));
	if (strlen(text) < 10000)
		g_assert_cmpstr(text, ==, again);
	check_written(value);
	check_written(encoded);
	return 0;
}
