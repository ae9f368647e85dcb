/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of the portal's database.
 *
 * message: one sealed message for one recipient. key_for_link is the message key wrapped under the
 *   secret of a link (link_hash finds the row); key_for_account the same key sealed to the
 *   recipient's account. Claiming puts the second in the place of the first; link_hash stays, so
 *   that an old link leads to the log-in. digest is a keyed hash: it makes a retry the same
 *   deposit and tells nothing of the content.
 *   code_hash is the notice's code under the link's secret; NULL where none is asked for.
 * notice: what the recipient is still to be told, wrapped under the gateway's master key; where
 *   refused is set, what the sender is to be told instead: that the recipient was not.
 * event: the audit trail, without content.
 */
#include "portal/portaldb.h"

static const char *const migrations[] = {
	"CREATE TABLE account ("
	"  address TEXT NOT NULL PRIMARY KEY,"
	"  public_key BLOB NOT NULL,"
	"  wrapped_private BLOB NOT NULL,"
	"  created INTEGER NOT NULL,"
	"  last_login INTEGER NOT NULL);"

	"CREATE TABLE message ("
	"  number INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  id TEXT NOT NULL UNIQUE,"
	"  recipient TEXT NOT NULL,"
	"  digest TEXT NOT NULL,"
	"  created INTEGER NOT NULL,"
	"  expires INTEGER NOT NULL,"
	"  size INTEGER NOT NULL,"
	"  subject BLOB NOT NULL,"
	"  sender BLOB NOT NULL,"
	"  sender_name BLOB NOT NULL,"
	"  stream_header BLOB NOT NULL,"
	"  link_hash TEXT UNIQUE,"
	"  key_for_link BLOB,"
	"  key_for_account BLOB,"
	"  revealed INTEGER,"
	"  UNIQUE (recipient, digest));"
	"CREATE INDEX message_expires ON message (expires);"

	"CREATE TABLE chunk ("
	"  message INTEGER NOT NULL REFERENCES message (number) ON DELETE CASCADE,"
	"  number INTEGER NOT NULL,"
	"  bytes BLOB NOT NULL,"
	"  UNIQUE (message, number));"

	"CREATE TABLE notice ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  message INTEGER NOT NULL UNIQUE REFERENCES message (number) ON DELETE CASCADE,"
	"  wrapped BLOB NOT NULL,"
	"  due INTEGER NOT NULL,"
	"  attempts INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX notice_due ON notice (due);"

	"CREATE TABLE event ("
	"  time INTEGER NOT NULL,"
	"  message INTEGER NOT NULL REFERENCES message (number) ON DELETE CASCADE,"
	"  kind TEXT NOT NULL);"
	"CREATE INDEX event_message ON event (message);",

	"ALTER TABLE message ADD COLUMN code_hash TEXT;",
	"ALTER TABLE notice ADD COLUMN refused TEXT;",
	NULL,
};

Db *portaldb_open(const Conf *conf, GError **error)
{
	return db_open(conf_path(conf, "portal", "database"), migrations, TRUE, error);
}

gint64 portaldb_now(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}
