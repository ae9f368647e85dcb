/* SPDX-License-Identifier: Apache-2.0
 *
 * A winmail.dat: whatever it says of itself, an attachment's bytes are among those of the file.
 */
#include "lib/mail/tnef.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(Spool) file = spool_new(NULL, G_MAXINT32);
	Tnef tnef;

	if (!spool_append(file, data, size, NULL) || !tnef_read(file, &tnef))
		return 0;
	tnef_claims_smime(&tnef);
	g_assert_cmpint(tnef.data.start, >=, 0);
	g_assert_cmpint(tnef.data.start, <=, tnef.data.end);
	g_assert_cmpint(tnef.data.end, <=, (goffset)size);
	g_assert_cmpuint(tnef.attachments, <=, TNEF_ATTRIBUTES_MAX);
	g_assert_true(g_str_is_ascii(tnef.class));
	return 0;
}
