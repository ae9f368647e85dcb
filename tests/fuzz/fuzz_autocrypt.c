/* SPDX-License-Identifier: Apache-2.0
 *
 * The value of an Autocrypt field, for the address that stands in its first line.
 */
#include <string.h>

#include "lib/mail/address.h"
#include "lib/mail/autocrypt.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	char *value = strchr(text, '\n');

	if (value == NULL)
		return 0;
	*value++ = '\0';
	g_autofree char *address = address_fold(text);
	g_autoptr(GBytes) key = address ? autocrypt_parse(value, address) : NULL;

	if (key != NULL) {
		g_assert_cmpuint(g_bytes_get_size(key), <=, AUTOCRYPT_MAX);
		g_assert_null(autocrypt_parse(value, "somebody@else.example"));
	}
	return 0;
}
