/* SPDX-License-Identifier: Apache-2.0
 *
 * Every setting of sealpost.conf: the one table that the reader checks against, `sealpost init`
 * writes its commented file from, and the lint holds against sealpost.conf(5).
 */
#include "lib/base/conf.h"

const Setting conf_settings[] = {
	{"sealpost", "policy", SETTING_PATH, "sealpost.policy",
	 "The rules: see sealpost.policy(5)."},
	{"sealpost", "hostname", SETTING_STRING, NULL,
	 "Our name in SMTP greetings and in Authentication-Results. Default: the system's name."},
	{"sealpost", "user", SETTING_STRING, NULL,
	 "The gateway drops root and runs as this user. Empty: stay who we are, which root may "
	 "not."},
	{"sealpost", "trusted_networks", SETTING_LIST, "127.0.0.0/8, ::1/128",
	 "Clients whose mail counts as our own people's. So do logged-in (SASL) clients."},
	{"sealpost", "outgoing_listeners", SETTING_LIST, "",
	 "MTA listeners that only our own people reach, by {daemon_name} or port number."},
	{"sealpost", "log_level", SETTING_STRING, "info", "error, warning, info or debug."},
	{"sealpost", "hash_addresses", SETTING_BOOLEAN, "false",
	 "Write mail addresses to the log only as keyed hashes."},

	{"gateway", "listen", SETTING_ADDRESS, "unix:run/milter.sock",
	 "Where the MTA reaches the milter. A Unix socket is three times as fast as TCP."},
	{"gateway", "socket_mode", SETTING_STRING, "0660", "Mode of the Unix socket, octal."},
	{"gateway", "spool_folder", SETTING_PATH, "spool",
	 "Where unlinked files hold messages over 256 KiB while they are worked on."},
	{"gateway", "runtime_folder", SETTING_PATH, "run",
	 "Private folder for GnuPG's working copy; best in RAM (tmpfs). Each gateway needs its "
	 "own."},
	{"gateway", "message_limit", SETTING_SIZE, "100M",
	 "Larger messages are refused; the MTA's own limit must leave room to grow."},
	{"gateway", "message_time", SETTING_DURATION, "9s",
	 "Most time that key look-ups and resubmission of one message may take."},
	{"gateway", "journal", SETTING_PATH, "state/journal.db",
	 "Which recipients of a split message have their copy already."},
	{"gateway", "threads", SETTING_PATH, "state/threads.db",
	 "Which messages arrived encrypted, if a rule asks (reply to encrypted)."},

	{"incoming", "subject_tags", SETTING_LIST, "",
	 "What the Subject of mail that came in tells its reader: encrypted, signed, warning. Text "
	 "that looks like our tags is then taken out of it first."},
	{"incoming", "subject_language", SETTING_STRING, "en", "Of the tags: en or de."},
	{"incoming", "unwrap_signed", SETTING_BOOLEAN, "true",
	 "Deliver what is inside an S/MIME signature that holds its text (opaque); false: as it "
	 "came, for "
	 "clients to verify."},

	{"mta", "resubmit", SETTING_ADDRESS, "inet:127.0.0.1:10026",
	 "The MTA's listener for finished copies: no milter of ours there, only reachable "
	 "locally."},
	{"mta", "resubmit_incoming", SETTING_ADDRESS, "inet:127.0.0.1:10027",
	 "The same for mail of strangers: no DKIM signature is made there either."},
	{"mta", "nexthop", SETTING_STRING, NULL,
	 "Where enforced-TLS mail goes when the MTA does not say ([relay]:port or a domain). "
	 "Default: the recipient's domain."},
	{"mta", "recipient_delimiter", SETTING_STRING, "+",
	 "user+tag@domain may use the keys of user@domain. Empty: never."},
	{"mta", "tls_ca_file", SETTING_PATH, "/etc/ssl/certs/ca-certificates.crt",
	 "Roots for the probe of verified TLS; the same as Postfix's smtp_tls_CAfile."},

	{"keystore", "database", SETTING_PATH, "state/keystore.db", "The one store of all keys."},
	{"keystore", "master_key", SETTING_PATH, "master.key",
	 "File (mode 0600) with the key that private keys are encrypted under; with systemd, "
	 "/run/credentials/sealpost-gateway.service/master.key."},
	{"keystore", "system_roots", SETTING_BOOLEAN, "true",
	 "Also trust the certificate authorities of the system."},
	{"keystore", "system_roots_file", SETTING_PATH, "/etc/ssl/certs/ca-certificates.crt",
	 "Where these are."},
	{"keystore", "cache_positive", SETTING_DURATION, "1h",
	 "How long keys from a directory are used without asking again."},
	{"keystore", "cache_negative", SETTING_DURATION, "5m",
	 "How long a directory's \"no key\" is believed."},
	{"keystore", "threads", SETTING_NUMBER, "16", "Look-ups that may run at the same time."},

	{"learn", "keys", SETTING_STRING, "use",
	 "Keys that senders sign with: use (in every rule), approved (only after `sealpost key "
	 "approve`, or in rules that say: keys from learned), off (learn nothing)."},
	{"learn", "per_domain", SETTING_NUMBER, "100",
	 "Most keys that are learned from one mail domain within a day."},
	{"learn", "per_day", SETTING_NUMBER, "1000", "... from everybody."},
	{"learn", "total", SETTING_NUMBER, "100000", "Most learned keys that are kept at all."},
	{"learn", "keep", SETTING_DURATION, "730d",
	 "How long a key that nobody approved is kept after the last mail that was signed with "
	 "it."},

	{"ldap", "uri", SETTING_STRING, NULL,
	 "ldap:// or ldaps:// and the server; several, separated by blanks, are tried in turn."},
	{"ldap", "type", SETTING_STRING, "openldap",
	 "openldap or active-directory: the defaults of filter and attributes."},
	{"ldap", "base", SETTING_STRING, "", "Where to search below."},
	{"ldap", "scope", SETTING_STRING, "sub", "sub, one or base."},
	{"ldap", "filter", SETTING_STRING, NULL,
	 "The search, with %m for the escaped address. Default by type: (mail=%m), or "
	 "(|(mail=%m)(proxyAddresses=smtp:%m))."},
	{"ldap", "certificate_attributes", SETTING_LIST, NULL,
	 "Default: userCertificate;binary, userSMIMECertificate;binary and both without ;binary."},
	{"ldap", "pgp_attributes", SETTING_LIST, NULL, "Default: pgpKey for openldap, else none."},
	{"ldap", "bind_dn", SETTING_STRING, NULL, "Who to bind as. Default: anonymous."},
	{"ldap", "password_file", SETTING_PATH, NULL, "File (mode 0600) with that password."},
	{"ldap", "starttls", SETTING_BOOLEAN, "true",
	 "Demand TLS on ldap:// connections; false only for a server on this machine."},
	{"ldap", "ca_file", SETTING_PATH, "/etc/ssl/certs/ca-certificates.crt",
	 "Roots that the server's certificate must lead to."},
	{"ldap", "timeout", SETTING_DURATION, "4s", "Most time for connecting and for one search."},

	{"portal", "listen", SETTING_ADDRESS, "inet:127.0.0.1:8443",
	 "Where the portal answers HTTPS."},
	{"portal", "url", SETTING_STRING, "https://localhost:8443",
	 "How people outside reach it: what their links begin with."},
	{"portal", "certificate", SETTING_PATH, "portal.crt",
	 "The web server's certificate chain (PEM)."},
	{"portal", "key", SETTING_PATH, "portal.key",
	 "Its private key (PEM): mode 0600, or 0640 if the portal's group shall read it again at "
	 "SIGHUP."},
	{"portal", "user", SETTING_STRING, NULL,
	 "The portal drops root and runs as this user; as the gateway's."},
	{"portal", "database", SETTING_PATH, "state/portal/portal.db",
	 "Sealed messages and accounts; gateway and portal both write it."},
	{"portal", "spool_folder", SETTING_PATH, "run/portal",
	 "Where unlinked files hold opened messages over 256 KiB while they are read; best in RAM "
	 "(tmpfs)."},
	{"portal", "sender", SETTING_STRING, "sealpost@localhost",
	 "Address that notices come from; must be one of ours."},
	{"portal", "languages", SETTING_LIST, "de, en",
	 "Languages of the notices, first is first in the mail: de, en."},
	{"portal", "organisation", SETTING_STRING, NULL,
	 "Whose portal it is, in the pages and notices. Default: the internal domain's name."},
	{"portal", "imprint", SETTING_STRING, NULL,
	 "Address (https://) of a page that says who runs the portal; a link below each page."},
	{"portal", "privacy", SETTING_STRING, NULL,
	 "Address (https://) of what you say about data protection; a link below each page."},
	{"portal", "keep", SETTING_DURATION, "90d", "How long messages are kept."},
	{"portal", "account_keep", SETTING_DURATION, "180d",
	 "An account without any message is deleted when its owner has not logged in for this "
	 "long; "
	 "the next message then comes with a link that starts anew."},
	{"portal", "session_time", SETTING_DURATION, "30m",
	 "Log-in ends after this long without a click."},
	{"portal", "connections", SETTING_NUMBER, "500", "Most connections at the same time."},
	{"portal", "connections_per_address", SETTING_NUMBER, "50",
	 "... of these from one address (of IPv6: from one /64 network)."},
	{"portal", "password_attempts", SETTING_NUMBER, "10",
	 "Wrong passwords within 15 minutes from one client address, before a pause; for one "
	 "account, one link, or one /48 network of IPv6, from wherever, ten times as many."},
};

const gsize conf_settings_count = G_N_ELEMENTS(conf_settings);
