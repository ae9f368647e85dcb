/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table of everything that can go wrong: what class of failure it is, what the MTA is
 * told (RFC 5321, RFC 3463) and what a person reads. Errors travel as GError in one domain; only
 * the gateway's hand-back turns one into an SMTP reply. Whatever is not in the table counts as a
 * temporary failure: a doubt never becomes plain text.
 */
#ifndef SEALPOST_LIB_BASE_ERROR_H
#define SEALPOST_LIB_BASE_ERROR_H

#include <glib.h>

#define SEALPOST_ERROR (sealpost_error_quark())

typedef enum {
	ERROR_INTERNAL, /* a bug of ours, or a failure without a better name */
	ERROR_USAGE, /* wrong use of a command */
	ERROR_CONFIG, /* wrong configuration or policy file */
	ERROR_IO, /* reading or writing failed */
	ERROR_DISK_FULL, /* no space for the spool or the store */
	ERROR_STORE, /* the database failed */
	ERROR_LOOKUP, /* a key source could not be asked: never "no key" */
	ERROR_TIMEOUT, /* a step took longer than it may */
	ERROR_RESUBMIT, /* the MTA's resubmission listener refused or broke off */
	ERROR_UNDELIVERABLE, /* ... refused a recipient, or the message, for good */
	ERROR_REFUSED, /* a check behind us, such as a virus scanner, refused the content */
	ERROR_PORTAL, /* the portal's store did not take the message */
	ERROR_CRYPTO, /* signing or encrypting failed, or its output is not as planned */
	ERROR_BUSY, /* a limit on parallel work was reached */
	ERROR_MALFORMED, /* input that breaks its format */
	ERROR_TOO_LARGE, /* input over a named limit of size or count */
	ERROR_TOO_MANY, /* more recipients or header fields than a message may have */
	ERROR_TOO_COSTLY, /* more work than a message's time has room for */
	ERROR_TOO_DEEP, /* nesting over a named limit */
	ERROR_BAD_ADDRESS, /* an address that cannot be used */
	ERROR_NO_WAY, /* a rule requires protection and no way was possible */
	ERROR_REJECTED, /* a rule says reject */
	ERROR_DEMANDED, /* mail that came in has not what a rule requires */
	ERROR_NOT_SIGNABLE, /* a rule demands a signature and there is no key that may sign */
	ERROR_KEY_UNUSABLE, /* a key that must not be used */
	ERROR_PASSPHRASE, /* a missing or wrong passphrase */
	ERROR_UNSUPPORTED, /* a format or algorithm that we do not handle */
	ERROR_CODES /* how many codes there are */
} ErrorCode;

typedef enum {
	ERROR_TEMPORARY,
	ERROR_PERMANENT,
} ErrorClass;

typedef struct {
	ErrorCode code;
	const char *name; /* stable, lower case with dashes: for logs and JSON */
	ErrorClass class;
	int smtp; /* RFC 5321, section 4.2 */
	const char *enhanced; /* RFC 3463 */
	const char *text; /* for people; says nothing about the message's content */
} ErrorInfo;

GQuark sealpost_error_quark(void);

/* The table's row for an error. Never NULL: an error of another domain, an unknown code and NULL
 * itself give ERROR_INTERNAL, which is temporary. */
const ErrorInfo *error_info(const GError *error);

/* The table's row for a code. */
const ErrorInfo *error_info_for(ErrorCode code);

/* Sets *error from errno (ENOSPC, EDQUOT and EFBIG become ERROR_DISK_FULL, else ERROR_IO), with
 * "WHAT: strerror" as its text. Always returns FALSE, so that a caller can return it. */
gboolean error_set_errno(GError **error, int errnum, const char *what);

#endif
