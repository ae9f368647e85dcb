/* SPDX-License-Identifier: Apache-2.0
 *
 * Mail addresses as envelope and headers carry them: split, compared, brought into one form.
 * RFC 5321 section 4.1.2 (paths), RFC 6531 (UTF-8), RFC 5890 (IDN).
 */
#ifndef SEALPOST_LIB_MAIL_ADDRESS_H
#define SEALPOST_LIB_MAIL_ADDRESS_H

#include <glib.h>

/* RFC 5321, section 4.5.3.1.3: path with its punctuation. */
#define ADDRESS_MAX 256

/* Most bytes and most addresses that are read in one header field. */
#define ADDRESS_LIST_BYTES_MAX (1024 * 1024)
#define ADDRESS_LIST_MAX 10000

/* The mailbox in an SMTP path: brackets off, "<>" and "" give "". Source routes, "<<", control
 * characters, blanks and comments outside quotes, over-long and unbalanced ones, invalid UTF-8:
 * ERROR_BAD_ADDRESS. A name without a domain ("postmaster") passes. New string, spelled as
 * given. */
char *address_from_path(const char *path, GError **error);

/* The form in which addresses are compared and stored as keys: domain in lower case and as
 * A-labels, trailing dot off, local part in lower case (ASCII and UTF-8, NFC), without quotes
 * that it does not need. NULL if there is no usable local part or domain. New string. */
char *address_fold(const char *address);

/* The domain's part of an address, borrowed; NULL if there is none. */
const char *address_domain(const char *address);

/* A domain in lower case, as A-labels, without a trailing dot; NULL if it is none. Names with the
 * four letters on which IDNA 2003 and 2008 differ (sharp s, final sigma, joiners) are none
 * unless given as A-labels: two readings would be two domains. New string. */
char *domain_fold(const char *domain);

/* TRUE if both fold to the same address. */
gboolean address_equal(const char *a, const char *b);

/* TRUE if both are spelled alike: the same local part in the same case, the domain in any (RFC 5321,
 * section 2.4). Nothing is folded. */
gboolean address_spelled_alike(const char *a, const char *b);

/* Folds a pattern of a policy or configuration: an address ("a@b"), a domain ("b", that domain
 * alone) or "*.b" (all domains below b, not b itself). NULL with ERROR_BAD_ADDRESS if it is none. */
char *address_pattern_fold(const char *pattern, GError **error);

/* "user+tag@domain" -> "user@domain"; NULL if there is no tag. New string. */
char *address_without_tag(const char *address, char delimiter);

/* The mailboxes in the value of an address header (From, To): groups are opened, display names
 * dropped, spelled as given. An array of char * that frees them; empty where nothing can be read.
 * *unparsed (may be NULL) says whether the value held text that is no address, that two readers
 * may read as different addresses, or more than the limits above: then do not act on the list as
 * if it were the whole. */
GPtrArray *address_list_parse(const char *header_value, gboolean *unparsed);

#endif
