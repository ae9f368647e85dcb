/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses as they come in envelopes and header fields.
 */
#include <string.h>

#include "lib/mail/address.h"
#include "tests/fuzz/fuzz.h"

static void check_address(const char *address)
{
	g_autofree char *folded = address_fold(address);
	g_autofree char *untagged = address_without_tag(address, '+');
	g_autofree char *again = NULL;

	g_assert_true(untagged == NULL || strlen(untagged) < strlen(address));
	if (folded == NULL)
		return;
	again = address_fold(folded);
	g_assert_cmpstr(folded, ==, again);
	g_assert_true(address_equal(address, folded));
	for (const char *p = folded; *p != '\0'; p++)
		g_assert_false(g_ascii_iscntrl(*p));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *mailbox = address_from_path(text, NULL);
	g_autofree char *pattern = address_pattern_fold(text, NULL);
	gboolean unparsed = FALSE;
	g_autoptr(GPtrArray) list = address_list_parse(text, &unparsed);

	g_assert_true(pattern == NULL || *pattern != '\0');
	check_address(text);
	if (mailbox != NULL) {
		g_assert_null(strpbrk(mailbox, "\r\n"));
		check_address(mailbox);
	}
	g_assert_cmpuint(list->len, <=, ADDRESS_LIST_MAX);
	for (guint i = 0; i < list->len; i++)
		check_address(list->pdata[i]);
	return 0;
}
