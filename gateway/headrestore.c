/* SPDX-License-Identifier: Apache-2.0
 *
 * Header protection of what comes in. See headrestore.h.
 */
#include <string.h>

#include "lib/mail/headersafe.h"

#include "gateway/fromname.h"
#include "gateway/headrestore.h"
#include "gateway/signing.h"

HeadrestoreMark headrestore_mark(const char *hp, const char *protected_headers)
{
	if (hp && g_ascii_strcasecmp(hp, "cipher") == 0)
		return HEADRESTORE_CIPHER;
	if (hp && g_ascii_strcasecmp(hp, "clear") == 0)
		return HEADRESTORE_CLEAR;
	if (protected_headers && g_ascii_strcasecmp(protected_headers, "v1") == 0)
		return HEADRESTORE_OLD;
	return HEADRESTORE_NONE;
}

/* What may be taken, besides From and Subject, which have rules of their own. */
static const char *const taken[] = {"To",
				    "Cc",
				    "Reply-To",
				    "Date",
				    "Message-ID",
				    "References",
				    "In-Reply-To",
				    "Followup-To",
				    "Mail-Followup-To",
				    "Comments",
				    "Keywords",
				    "Organization",
				    "User-Agent",
				    "Importance",
				    "Priority",
				    "X-Priority",
				    "Sensitivity",
				    "Thread-Topic",
				    "Thread-Index",
				    "Auto-Submitted"};

/* The same fields of that name, as people see them? So many that not all could be taken never are:
 * looking for each would take time without end. */
static gboolean are_equal(const Headers *a, const Headers *b, const char *name)
{
	guint count = headers_count_name(a, name);

	if (count > HEADRESTORE_FIELDS_MAX || headers_count_name(b, name) != count)
		return FALSE;
	for (guint i = 0; i < count; i++) {
		g_autofree char *text_a = header_decode(headers_find(a, name, i));
		g_autofree char *text_b = header_decode(headers_find(b, name, i));

		if (!g_str_equal(text_a, text_b))
			return FALSE;
	}
	return TRUE;
}

static gboolean are_one(const Headers *a, const Headers *b, const char *name)
{
	return headers_count_name(a, name) == 1 && are_equal(a, b, name);
}

gboolean headrestore_is_whole(const Headers *outer, const Headers *inside, const char *forwarded)
{
	const char *reason;
	g_autofree char *from = signing_only_from(inside, &reason);
	g_autofree char *outer_from = signing_only_from(outer, &reason);

	if (!from || g_strcmp0(from, outer_from) != 0)
		return FALSE;
	return forwarded ? g_ascii_strcasecmp(forwarded, "no") == 0
			 : are_one(outer, inside, "Message-ID") && are_one(outer, inside, "Date");
}

/* A signature of that address over all of the message. */
static gboolean is_bound(const Opened *opened, const char *address)
{
	for (guint i = 0; address && i < opened->signatures->len; i++) {
		const OpenSignature *signature = opened->signatures->pdata[i];

		if (opened_covers(signature) && g_strcmp0(signature->signer, address) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Takes a field over in a form that survives every relay, without control characters; one that has
 * none stays outside. */
static void take(Opened *opened, const Header *header)
{
	g_autofree char *clean = g_strdup(header->value);
	Header made = {header->name, clean};
	g_autofree char *value = NULL;

	if (headers_count(opened->restored) >= HEADRESTORE_FIELDS_MAX ||
	    strlen(header->value) > HEADRESTORE_VALUE_MAX)
		return;
	for (char *p = clean; *p; p++)
		if (g_ascii_iscntrl(*p) && *p != '\n' && *p != '\t')
			*p = ' ';
	value = header_is_safe(&made) ? g_strdup(clean) : header_make_safe(&made, NULL);
	if (value && strlen(value) <= HEADRESTORE_VALUE_MAX)
		headers_append(opened->restored, header->name, value, NULL);
}

static void take_all(Opened *opened, const HeadrestoreJob *job)
{
	gboolean differs[G_N_ELEMENTS(taken)];

	for (gsize n = 0; n < G_N_ELEMENTS(taken); n++)
		differs[n] = !are_equal(job->outer, job->inside, taken[n]);
	for (guint i = 0; i < headers_count(job->inside); i++) {
		const Header *header = headers_at(job->inside, i);

		for (gsize n = 0; n < G_N_ELEMENTS(taken); n++)
			if (differs[n] && g_ascii_strcasecmp(header->name, taken[n]) == 0)
				take(opened, header);
	}
}

static void take_subject(Opened *opened, const HeadrestoreJob *job)
{
	const Header *subject = headers_find(job->inside, "Subject", 0);

	if (subject && strlen(subject->value) <= HEADRESTORE_VALUE_MAX / 4 &&
	    !are_equal(job->outer, job->inside, "Subject"))
		opened->subject = header_decode(subject);
}

/* The signatures of the address that is From now; of a broken one nobody knows whose it is. */
static void match_signatures(Opened *opened, const char *from)
{
	for (guint i = 0; i < opened->signatures->len; i++) {
		OpenSignature *signature = opened->signatures->pdata[i];

		signature->matches_from = !g_str_equal(signature->result, "bad") &&
					  g_strcmp0(signature->signer, from) == 0;
	}
}

/* The name in From may be taken with the address that it stands beside; another address is as
 * good as its signature. */
static void take_from(Opened *opened, const HeadrestoreJob *job, const char *inner)
{
	gboolean same = inner && g_strcmp0(inner, job->from) == 0;

	if (!same && !is_bound(opened, inner)) {
		opened_warn(opened, "protected-from-differs");
		return;
	}
	if (are_equal(job->outer, job->inside, "From"))
		return;
	take(opened, headers_find(job->inside, "From", 0));
	if (fromname_lies(job->inside))
		opened_warn(opened, "forged-display-name");
	if (!same && headers_find(opened->restored, "From", 0))
		match_signatures(opened, inner);
}

/* What the sender's program put outside, by HP-Outer (RFC 9788, section 2.2). */
static Headers *told_outer(const Headers *inside)
{
	Headers *told = headers_new();

	for (guint i = 0; i < headers_count(inside); i++) {
		const Header *header = headers_at(inside, i);
		const char *text = header->value + strspn(header->value, " \t\n");
		const char *colon = strchr(text, ':');

		if (g_ascii_strcasecmp(header->name, "HP-Outer") != 0 || !colon)
			continue;
		g_autofree char *name = g_strchomp(g_strndup(text, (gsize)(colon - text)));

		headers_append(told, name, colon + 1, NULL);
	}
	return told;
}

/* Is the outside what the sender's program made it? What it does not say, nobody knows: the old mark
 * hides without a word, and leaves fields out. */
static gboolean was_changed(const Opened *opened, const HeadrestoreJob *job)
{
	static const char *const names[] = {"From", "To", "Cc", "Reply-To", "Subject", "Date"};
	g_autoptr(Headers) told = job->mark == HEADRESTORE_CIPHER ? told_outer(job->inside) : NULL;
	const Headers *expected = told ? told : job->inside;

	if (job->mark == HEADRESTORE_OLD && opened->decrypted)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		gboolean silent =
			job->mark == HEADRESTORE_OLD && headers_count_name(expected, names[i]) == 0;

		if (!silent && !are_equal(job->outer, expected, names[i]))
			return TRUE;
	}
	return FALSE;
}

void headrestore(Opened *opened, const HeadrestoreJob *job)
{
	const char *reason;
	g_autofree char *inner = signing_only_from(job->inside, &reason);
	gboolean has_from = headers_count_name(job->inside, "From") > 0;
	gboolean bound = is_bound(opened, has_from ? inner : job->from);

	opened->restored = headers_new();
	if (was_changed(opened, job))
		opened_warn(opened, "header-changed");
	if (opened->decrypted || bound)
		take_subject(opened, job);
	if (!opened->entity) {
		/* It stays as it came: From with it. */
		if (has_from && g_strcmp0(inner, job->from) != 0)
			opened_warn(opened, "protected-from-differs");
		return;
	}
	if (has_from)
		take_from(opened, job, inner);
	if (opened->decrypted || bound)
		take_all(opened, job);
}
