/* SPDX-License-Identifier: Apache-2.0
 *
 * Hex digits. See hex.h.
 */
#include "lib/base/hex.h"

void hex_append(GString *text, const void *data, gsize size)
{
	static const char digits[] = "0123456789abcdef";
	const guint8 *bytes = data;

	for (gsize i = 0; i < size; i++) {
		g_string_append_c(text, digits[bytes[i] >> 4]);
		g_string_append_c(text, digits[bytes[i] & 15]);
	}
}
