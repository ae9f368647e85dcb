/* SPDX-License-Identifier: Apache-2.0
 *
 * The yardstick of the bench: a milter that does nothing but keep each body and hand the same bytes
 * back (or, with --read, only reads them). usage: echo_milter [--read] SOCKET
 */
#include <glib.h>
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>

static gboolean read_only;

static sfsistat on_envfrom(SMFICTX *ctx, char **argv)
{
	GByteArray *body = smfi_getpriv(ctx);

	(void)argv;
	if (body)
		g_byte_array_unref(body);
	smfi_setpriv(ctx, g_byte_array_new());
	return SMFIS_CONTINUE;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t size)
{
	g_byte_array_append(smfi_getpriv(ctx), chunk, (guint)size);
	return SMFIS_CONTINUE;
}

static sfsistat on_eom(SMFICTX *ctx)
{
	GByteArray *body = smfi_getpriv(ctx);

	for (guint at = 0; !read_only && at < body->len; at += 65535)
		if (smfi_replacebody(ctx, body->data + at, (int)MIN(65535, body->len - at)) !=
		    MI_SUCCESS)
			return SMFIS_TEMPFAIL;
	g_byte_array_set_size(body, 0);
	return SMFIS_ACCEPT;
}

static sfsistat on_close(SMFICTX *ctx)
{
	GByteArray *body = smfi_getpriv(ctx);

	if (body)
		g_byte_array_unref(body);
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
	struct smfiDesc filter = {
		.xxfi_name = (char *)"echo",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_CHGBODY,
		.xxfi_envfrom = on_envfrom,
		.xxfi_body = on_body,
		.xxfi_eom = on_eom,
		.xxfi_close = on_close,
	};

	read_only = argc == 3 && strcmp(argv[1], "--read") == 0;
	if (argc != (read_only ? 3 : 2)) {
		fprintf(stderr, "usage: echo_milter [--read] SOCKET\n");
		return 64;
	}
	if (smfi_setconn(argv[argc - 1]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS)
		return 71;
	return smfi_main() == MI_SUCCESS ? 0 : 71;
}
