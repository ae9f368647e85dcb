/* SPDX-License-Identifier: Apache-2.0
 *
 * Recipients' keys on their way to gpg. They enter no keyring: nothing to lock, nothing to forget,
 * and no key that someone else brought can take a recipient's place.
 */
#include "lib/crypt/pgprecipients.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/crypt/pgpkey.h"
#include "lib/crypt/pgppacket.h"
#include "lib/crypt/pgptargets.h"

typedef struct {
	GBytes *key;
	int fd; /* -1: not made yet */
	char *path;
	GPtrArray *ids; /* of all its keys and subkeys */
	char *fingerprint;
} Recipient;

struct PgpRecipients {
	GPtrArray *list; /* of Recipient * */
	GString *text; /* NULL: not made yet */
};

static void recipient_free(gpointer data)
{
	Recipient *recipient = data;

	if (recipient->fd >= 0)
		close(recipient->fd);
	g_bytes_unref(recipient->key);
	g_ptr_array_unref(recipient->ids);
	g_free(recipient->fingerprint);
	g_free(recipient->path);
	g_free(recipient);
}

void pgp_recipients_free(PgpRecipients *recipients)
{
	if (!recipients)
		return;
	g_ptr_array_unref(recipients->list);
	if (recipients->text)
		g_string_free(recipients->text, TRUE);
	g_free(recipients);
}

static char *primary_fingerprint(GBytes *key)
{
	PgpPackets packets = {0};
	PgpPacket packet;
	gboolean cut;

	packets.data = g_bytes_get_data(key, &packets.size);
	if (!pgp_packet_next(&packets, &packet, &cut, NULL) || cut || packet.tag != PGP_PUBLIC_KEY)
		return NULL;
	return pgp_packet_fingerprint(&packet);
}

static gboolean write_key(Recipient *recipient, GError **error)
{
	gsize size, done = 0;
	const guint8 *bytes = g_bytes_get_data(recipient->key, &size);

	recipient->fd = memfd_create("recipient", MFD_CLOEXEC);
	while (recipient->fd >= 0 && done < size) {
		gssize n = write(recipient->fd, bytes + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (gsize)n;
	}
	if (recipient->fd < 0 || done < size)
		return error_set_errno(error, errno, "a recipient's key");
	recipient->path = g_strdup_printf("/proc/%ld/fd/%d", (long)getpid(), recipient->fd);
	return TRUE;
}

static gboolean has(const PgpRecipients *recipients, const char *fingerprint)
{
	for (guint i = 0; i < recipients->list->len; i++) {
		const Recipient *recipient = recipients->list->pdata[i];
		if (strcmp(recipient->fingerprint, fingerprint) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean add(PgpRecipients *recipients, GBytes *key, GError **error)
{
	g_autofree char *fingerprint = primary_fingerprint(key);

	if (!fingerprint) {
		g_set_error(error, SEALPOST_ERROR, ERROR_KEY_UNUSABLE,
			    "not an OpenPGP public key of version 4");
		return FALSE;
	}
	if (has(recipients, fingerprint))
		return TRUE;
	if (recipients->list->len == PGP_RECIPIENTS_MAX) {
		g_set_error(error, SEALPOST_ERROR, ERROR_TOO_LARGE, "more than %d recipients",
			    PGP_RECIPIENTS_MAX);
		return FALSE;
	}
	Recipient *recipient = g_new0(Recipient, 1);
	recipient->fd = -1;
	recipient->key = g_bytes_ref(key);
	recipient->fingerprint = g_steal_pointer(&fingerprint);
	recipient->ids = pgp_key_ids(key);
	g_ptr_array_add(recipients->list, recipient);
	return TRUE;
}

PgpRecipients *pgp_recipients_new(GPtrArray *keys, GError **error)
{
	g_autoptr(PgpRecipients) recipients = g_new0(PgpRecipients, 1);

	recipients->list = g_ptr_array_new_with_free_func(recipient_free);
	for (guint i = 0; i < keys->len; i++) {
		if (!add(recipients, keys->pdata[i], error))
			return NULL;
	}
	return g_steal_pointer(&recipients);
}

guint pgp_recipients_count(const PgpRecipients *recipients)
{
	return recipients->list->len;
}

GPtrArray *pgp_recipients_targets(const PgpRecipients *recipients, PgpHome *home, gint64 deadline)
{
	g_autoptr(GPtrArray) targets =
		g_ptr_array_new_with_free_func((GDestroyNotify)pgp_target_unref);

	for (guint i = 0; i < recipients->list->len; i++) {
		const Recipient *recipient = recipients->list->pdata[i];
		PgpTarget *target = pgp_targets_find(home, recipient->key, deadline);
		if (!target)
			return NULL;
		g_ptr_array_add(targets, target);
	}
	return g_steal_pointer(&targets);
}

const char *pgp_recipients_text(PgpRecipients *recipients, GError **error)
{
	if (recipients->text)
		return recipients->text->str;
	GString *text = g_string_new("--file\n");
	for (guint i = 0; i < recipients->list->len; i++) {
		Recipient *recipient = recipients->list->pdata[i];
		if (!recipient->path && !write_key(recipient, error)) {
			g_string_free(text, TRUE);
			return NULL;
		}
		g_string_append_printf(text, "%s\n", recipient->path);
	}
	recipients->text = text;
	return text->str;
}

const char *pgp_recipients_find(const PgpRecipients *recipients, const char *path)
{
	for (guint i = 0; path && i < recipients->list->len; i++) {
		const Recipient *recipient = recipients->list->pdata[i];
		if (g_strcmp0(recipient->path, path) == 0)
			return recipient->fingerprint;
	}
	return NULL;
}

/* As many as there are recipients, and each has one: then there is nobody else. */
static gboolean ids_match(const PgpRecipients *recipients, GPtrArray *ids)
{
	if (ids->len != recipients->list->len)
		return FALSE;
	for (guint i = 0; i < recipients->list->len; i++) {
		const Recipient *recipient = recipients->list->pdata[i];
		gboolean found = FALSE;
		for (guint n = 0; n < ids->len && !found; n++)
			found = g_ptr_array_find_with_equal_func(recipient->ids, ids->pdata[n],
								 g_str_equal, NULL);
		if (!found)
			return FALSE;
	}
	return TRUE;
}

gboolean pgp_recipients_check(const PgpRecipients *recipients, const void *start, gsize size,
			      GError **error)
{
	gsize front = STREAM_CHUNK + recipients->list->len * PGP_HEAD_RECIPIENT;
	g_autoptr(GBytes) bytes = g_bytes_new(start, MIN(size, front));
	g_autoptr(Source) source = source_new_bytes(bytes);
	g_autoptr(PgpHead) head = pgp_head_read(source, NULL);

	if (head && head->encrypted && head->integrity && ids_match(recipients, head->key_ids))
		return TRUE;
	g_set_error(error, SEALPOST_ERROR, ERROR_CRYPTO,
		    "what gpg made is not encrypted to the wanted keys");
	return FALSE;
}
