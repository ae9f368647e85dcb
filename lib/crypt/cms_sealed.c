/* SPDX-License-Identifier: Apache-2.0
 *
 * Is this one ciphertext from its first byte to its last? A head alone proves nothing: behind it,
 * or behind the structure, anything can stand, and it would leave as "already encrypted".
 */

#include "lib/crypt/cms_shell.h"

/* As of a mail: far above what any MTA lets through. */
#define SEALED_MAX ((guint64)4 * 1024 * 1024 * 1024)
#define SEALED_CHUNK (16 * 1024)

static gboolean is_base64(char c)
{
	return g_ascii_isalnum(c) || c == '+' || c == '/';
}

static gboolean is_blank(char c)
{
	return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

/* Nothing but base64 and blanks, and behind its padding nothing more: decoders pass over the rest
 * in silence. */
static gboolean is_pure_base64(Source *source)
{
	char buffer[SEALED_CHUNK];
	guint padding = 0;
	gssize got;

	while ((got = source_read(source, buffer, sizeof buffer, NULL)) > 0) {
		for (gssize i = 0; i < got; i++) {
			if (is_base64(buffer[i]) && padding == 0)
				continue;
			if (buffer[i] == '=' ? ++padding > 2 : !is_blank(buffer[i]))
				return FALSE;
		}
	}
	return got == 0 && source_rewind(source, NULL);
}

/* Does the reader stand at the end of its input? */
static gboolean is_at_end(BerReader *reader)
{
	BerItem rest = {.tag = BER_OCTETS, .end = SEALED_MAX};
	guint8 byte;

	/* "Cut off" is what it says where no byte is left. */
	return ber_read(reader, &rest, &byte, 1, NULL) < 0;
}

gboolean cms_is_sealed(Source *source, gboolean base64)
{
	if (base64 && !is_pure_base64(source))
		return FALSE;
	g_autoptr(BerReader) reader = ber_reader_new(source, base64, SEALED_MAX);
	g_autoptr(CmsShell) shell = cms_shell_read(reader, NULL);

	return shell && (shell->type == CMS_ENVELOPED || shell->type == CMS_AUTH_ENVELOPED) &&
	       shell->has_content && cms_shell_finish(shell, NULL) && is_at_end(reader);
}
