/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking files into the store: `sealpost key import`. One Import is one call of it: files are added
 * in any order; private keys that come without their certificate, and CRLs, wait until the end.
 */
#ifndef SEALPOST_KEYSTORE_IMPORT_H
#define SEALPOST_KEYSTORE_IMPORT_H

#include "keystore/store.h"

/* Largest file that is read (a keyring of many keys). */
#define IMPORT_FILE_MAX (16 * 1024 * 1024)

typedef struct {
	gboolean trusted; /* certificates become trusted */
	const char *address; /* folded; what is no CA is bound to it; NULL: no */
} ImportOptions;

/* One thing that was taken. */
typedef struct {
	char *file; /* where it came from, for people */
	Candidate *candidate; /* or */
	Crl *crl;
	gboolean with_private; /* its private key came along, or was there for a certificate that
				  this one renews */
	StoreChange change;
} Imported;

typedef struct Import Import;

Import *import_new(Store *store, const ImportOptions *options);
void import_free(Import *import);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Import, import_free)

/* Takes what is in a file. FALSE: the reason; ERROR_PASSPHRASE: again with the right one may
 * help. What was taken before a failure stays taken. */
gboolean import_add(Import *import, const char *name, GBytes *file, const Secret *passphrase,
		    GError **error);
/* Finds the certificates of private keys that came alone, gives those that renew another one of the
 * same key and address the private key that the store has for that, and takes the CRLs whose CA is in the
 * store. For each that is refused, one element in the array of "FILE: reason" that it returns;
 * empty: all is well. NULL: the store failed. */
GPtrArray *import_finish(Import *import, GError **error);

/* All that was taken so far: array of Imported *, borrowed. */
GPtrArray *import_list(const Import *import);

#endif
