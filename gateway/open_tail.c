/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands behind a layer, in the entity that it is the root of, and around its parts. See open.h.
 * Whoever changes a ciphertext without authentication at its end makes bytes there that he cannot
 * foresee; where only line ends, or base64, may stand, they show.
 */
#include <string.h>

#include "gateway/open.h"

/* A delimiter has 70 characters at most (RFC 2046, section 5.1.1); a few line ends behind it. */
#define TAIL_MAX 128

/* The closing delimiter, and no epilogue. */
static gboolean is_closed(const MimePart *root, Spool *entity)
{
	const MimePart *last = root->children->pdata[root->children->len - 1];
	const char *boundary = mime_param(root, "boundary");
	goffset size = spool_length(entity) - last->whole.end;
	char tail[TAIL_MAX + 1] = "";

	if (!boundary || size > TAIL_MAX ||
	    spool_read_all(entity, last->whole.end, tail, (gsize)size, NULL) != size)
		return FALSE;
	g_autofree char *closing = g_strdup_printf("\r\n--%s--", boundary);
	gsize length = strlen(closing);

	return strncmp(tail, closing, length) == 0 &&
	       length + strspn(tail + length, "\r\n") == (gsize)size;
}

static gboolean is_base64_byte(char c)
{
	return g_ascii_isalnum(c) || c == '+' || c == '/' || c == '=' || c == '\r' || c == '\n';
}

static gboolean is_all_base64(const MimePart *root, Spool *entity)
{
	g_autoptr(Source) source = spool_source(entity, root->content);
	g_autofree char *buffer = g_malloc(STREAM_CHUNK);
	gssize got;

	while ((got = source_read(source, buffer, STREAM_CHUNK, NULL)) > 0)
		for (gssize i = 0; i < got; i++)
			if (!is_base64_byte(buffer[i]))
				return FALSE;
	return got == 0 && root->content.end == spool_length(entity);
}

gboolean open_fills(const MimeTree *tree, Spool *entity)
{
	const MimePart *root = mime_root(tree);

	if (root->children && root->children->len > 0)
		return is_closed(root, entity);
	return g_str_equal(root->encoding, "base64") && is_all_base64(root, entity);
}

/* What no program shows, nor guesses from its name that it might: a signature (RFC 3156, RFC 8551). */
static gboolean is_silent(const MimePart *signature)
{
	static const char *const types[] = {
		"application/pgp-signature",   "application/x-pgp-signature",
		"application/pkcs7-signature", "application/x-pkcs7-signature",
		"application/pkcs7-mime",      "application/x-pkcs7-mime",
		"application/octet-stream",    NULL};
	static const char *const suffixes[] = {".asc", ".sig", ".pgp", ".gpg",
					       ".p7s", ".p7m", ".bin", ".dat"};
	g_autofree char *name =
		signature->filename ? g_ascii_strdown(signature->filename, -1) : NULL;

	if (!g_strv_contains(types, signature->type))
		return FALSE;
	for (gsize i = 0; name && i < G_N_ELEMENTS(suffixes); i++)
		if (g_str_has_suffix(name, suffixes[i]))
			return TRUE;
	return !name || !strchr(name, '.');
}

gboolean open_has_rest(const MimeTree *tree)
{
	const MimePart *root = mime_root(tree);

	if (!g_str_equal(root->type, "multipart/signed"))
		return FALSE;
	if (!root->children || root->children->len != 2)
		return TRUE;
	const MimePart *signature = root->children->pdata[1];

	return !is_silent(signature) || !mime_is_strict(tree, root) ||
	       !mime_is_strict(tree, signature);
}

/* Nothing but its parts and their delimiters, and none of those is a sentence. */
static gboolean is_bare(const OpenWork *work)
{
	const MimePart *root = mime_root(work->tree);
	const char *boundary = mime_param(root, "boundary");
	const MimePart *first = root->children->len > 0 ? root->children->pdata[0] : NULL;

	return first && boundary && !strpbrk(boundary, " \t") &&
	       first->whole.start - root->content.start ==
		       (goffset)(strlen(boundary) + strlen("--\r\n")) &&
	       is_closed(root, work->current);
}

gboolean open_shows_source(const OpenWork *work)
{
	const Headers *headers = work->job->headers;

	return mime_root(work->tree)->children && !headers_say_mime(headers) &&
	       (!work->opened->entity || headers_count_name(headers, "MIME-Version") > 0) &&
	       !is_bare(work);
}
