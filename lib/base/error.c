/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of errors: see error.h. The texts go to strangers over SMTP, so they say what to do
 * and nothing of the message or of our inner life.
 */
#include "lib/base/error.h"

#include <errno.h>

G_DEFINE_QUARK(sealpost - error, sealpost_error)

#define TEMP ERROR_TEMPORARY
#define PERM ERROR_PERMANENT

static const ErrorInfo table[] = {
	{ERROR_INTERNAL, "internal", TEMP, 451, "4.3.0", "Internal error, please try again later"},
	{ERROR_USAGE, "usage", TEMP, 451, "4.3.5", "Internal error, please try again later"},
	{ERROR_CONFIG, "config", TEMP, 451, "4.3.5", "The mail gateway is not set up correctly"},
	{ERROR_IO, "io", TEMP, 451, "4.3.0", "Internal error, please try again later"},
	{ERROR_DISK_FULL, "disk-full", TEMP, 452, "4.3.1", "Insufficient storage, try again later"},
	{ERROR_STORE, "store", TEMP, 451, "4.3.0", "Database unavailable, please try again later"},
	{ERROR_LOOKUP, "lookup", TEMP, 451, "4.4.3", "Key directory unavailable, try again later"},
	{ERROR_TIMEOUT, "timeout", TEMP, 451, "4.4.7", "Processing took too long, try again later"},
	{ERROR_RESUBMIT, "resubmit", TEMP, 451, "4.3.2",
	 "Mail system unavailable, try again later"},
	/* It took them a moment before: a copy's sender tries again. */
	{ERROR_UNDELIVERABLE, "undeliverable", TEMP, 451, "4.3.2",
	 "Mail system unavailable, try again later"},
	{ERROR_REFUSED, "refused", PERM, 550, "5.7.1", "Message refused by a check of its content"},
	{ERROR_PORTAL, "portal", TEMP, 451, "4.3.0", "Web portal unavailable, try again later"},
	{ERROR_CRYPTO, "crypto", TEMP, 451, "4.7.5", "Message could not be protected, try again"},
	{ERROR_BUSY, "busy", TEMP, 451, "4.3.2", "Too busy, please try again later"},
	{ERROR_MALFORMED, "malformed", PERM, 554, "5.6.0", "Message format is not valid"},
	{ERROR_TOO_LARGE, "too-large", PERM, 552, "5.3.4", "Message is too large"},
	{ERROR_TOO_MANY, "too-many", PERM, 552, "5.3.4",
	 "Message has too many recipients, or too many or too long header fields"},
	{ERROR_TOO_COSTLY, "too-costly", PERM, 552, "5.3.4",
	 "Message is too much work to protect in time; please send it in smaller parts"},
	{ERROR_TOO_DEEP, "too-deep", PERM, 554, "5.6.0", "Message parts are nested too deeply"},
	{ERROR_BAD_ADDRESS, "bad-address", PERM, 553, "5.1.3", "Address is not valid"},
	{ERROR_NO_WAY, "no-way", PERM, 550, "5.7.1",
	 "Encryption is required and no way to protect this message was found"},
	{ERROR_REJECTED, "rejected", PERM, 550, "5.7.1", "Refused by policy"},
	{ERROR_DEMANDED, "demanded", PERM, 550, "5.7.1", "Mail like this is not accepted"},
	{ERROR_NOT_SIGNABLE, "not-signable", PERM, 550, "5.7.1",
	 "A signature is required and the sender has no key to sign with"},
	{ERROR_KEY_UNUSABLE, "key-unusable", TEMP, 451, "4.7.5", "A key cannot be used, try again"},
	{ERROR_PASSPHRASE, "passphrase", TEMP, 451, "4.7.5", "A key cannot be opened"},
	{ERROR_UNSUPPORTED, "unsupported", PERM, 554, "5.6.1", "Message format is not supported"},
};

G_STATIC_ASSERT(G_N_ELEMENTS(table) == ERROR_CODES);

const ErrorInfo *error_info_for(ErrorCode code)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (table[i].code == code)
			return &table[i];
	return &table[0];
}

const ErrorInfo *error_info(const GError *error)
{
	if (!error || error->domain != SEALPOST_ERROR)
		return error_info_for(ERROR_INTERNAL);
	return error_info_for((ErrorCode)error->code);
}

gboolean error_set_errno(GError **error, int errnum, const char *what)
{
	gboolean full = errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;

	g_set_error(error, SEALPOST_ERROR, full ? ERROR_DISK_FULL : ERROR_IO, "%s: %s", what,
		    g_strerror(errnum));
	return FALSE;
}
