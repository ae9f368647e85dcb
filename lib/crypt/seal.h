/* SPDX-License-Identifier: Apache-2.0
 *
 * The portal's sealing (libsodium). A message key K seals a message in chunks (secretstream); K
 * is sealed to an account's X25519 key, or wrapped under a secret that is only in a link; the
 * account's private key is wrapped under argon2id of its password. Formats are versioned by their
 * first byte.
 */
#ifndef SEALPOST_LIB_CRYPT_SEAL_H
#define SEALPOST_LIB_CRYPT_SEAL_H

#include "lib/base/secret.h"

#define SEAL_KEY_SIZE 32 /* K, link secret */
#define SEAL_CHUNK (64 * 1024) /* plain bytes in a chunk */
#define SEAL_PUBLIC_SIZE 32

/* Chunks in order; the last one is marked: a cut or reordered message does not open. A reader
 * that has met the last chunk, or one that does not authenticate, opens no further one. */
typedef struct SealWriter SealWriter;
SealWriter *seal_writer_new(const Secret *key, GBytes **header);
/* One sealed chunk for at most SEAL_CHUNK plain bytes. */
GBytes *seal_writer_chunk(SealWriter *writer, const void *plain, gsize size, gboolean last);
void seal_writer_free(SealWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SealWriter, seal_writer_free)

typedef struct SealReader SealReader;
SealReader *seal_reader_new(const Secret *key, GBytes *header, GError **error);
/* The plain bytes of the next chunk; *last tells whether it was the final one. NULL with
 * ERROR_CRYPTO if it does not authenticate. */
GBytes *seal_reader_chunk(SealReader *reader, GBytes *chunk, gboolean *last, GError **error);
void seal_reader_free(SealReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SealReader, seal_reader_free)

/* A small text (subject, sender, file name) under K, for the message's metadata; context keeps
 * fields apart. Its length is padded. What is over SEAL_TEXT_MAX bytes is left out. */
#define SEAL_TEXT_MAX (64 * 1024)
GBytes *seal_text(const Secret *key, const char *context, const char *text);
char *seal_text_open(const Secret *key, const char *context, GBytes *sealed, GError **error);

/* K under a link's secret; the database finds the row by the secret's hash (64 hex digits). */
GBytes *seal_wrap_for_link(const Secret *key, const Secret *link);
Secret *seal_open_with_link(GBytes *wrapped, const Secret *link, GError **error);
char *seal_link_hash(const Secret *link);
/* A link's secret as URL-safe base64 and back; NULL if it is none. */
char *seal_link_text(const Secret *link);
Secret *seal_link_parse(const char *text);

/* K to an account. The public key comes from a database that others write to: ERROR_CRYPTO if it is
 * none (NULL, too). */
GBytes *seal_to_account(const Secret *key, GBytes *public_key, GError **error);
Secret *seal_open_with_account(GBytes *sealed, GBytes *public_key, const Secret *private_key,
			       GError **error);

/* A new account's keys: the private one wrapped under the password (argon2id, parameters and
 * salt stored along). Needs 64 MiB for a moment: ERROR_BUSY if there is no memory. */
typedef struct {
	GBytes *public_key;
	GBytes *wrapped_private;
} SealAccount;
gboolean seal_account_new(const Secret *password, SealAccount *account, Secret **private_key,
			  GError **error);
/* The private key under another password, at the same cost. */
GBytes *seal_account_wrap(const Secret *private_key, const Secret *password, GError **error);
/* ERROR_PASSPHRASE if the password is wrong; ERROR_CRYPTO if what was stored is damaged in form. */
Secret *seal_account_open(GBytes *wrapped_private, const Secret *password, GError **error);

#endif
