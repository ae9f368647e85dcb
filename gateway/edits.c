/* SPDX-License-Identifier: Apache-2.0
 *
 * Edits to a message's header block, as data. See edits.h.
 */
#include <string.h>

#include "gateway/authserv.h"
#include "gateway/edits.h"
#include "gateway/headprotect.h"

static void edit_free(Edit *edit)
{
	g_free(edit->name);
	g_free(edit->value);
	g_free(edit);
}

static void add_edit(GPtrArray *edits, EditKind kind, const char *name, guint nth,
		     const char *value)
{
	Edit *edit = g_new0(Edit, 1);

	edit->kind = kind;
	edit->name = g_strdup(name);
	edit->nth = nth;
	/* The MTA may take a bare CR for a line's end. */
	edit->value = value ? g_strdelimit(g_strdup(value), "\r", ' ') : NULL;
	g_ptr_array_add(edits, edit);
}

/* Fields that never leave, and never come in: only we may set them, or the sender hid them. */
static gboolean is_unwelcome(const Header *header, const EditWish *wish)
{
	if (g_ascii_strncasecmp(header->name, "X-Sealpost-", 11) == 0)
		return TRUE;
	if (g_ascii_strcasecmp(header->name, "Bcc") == 0 ||
	    g_ascii_strcasecmp(header->name, "Resent-Bcc") == 0)
		return wish->hides_bcc;
	return g_ascii_strcasecmp(header->name, "Authentication-Results") == 0 &&
	       authserv_claims(header->value, wish->authserv_id);
}

/* The number of a field among those of its name, from 1: counted in one pass with a table, for a
 * message of 10,000 fields is no reason to spend 10,000 squared steps. */
static guint count_name(GHashTable *counts, const char *name)
{
	char *folded = g_ascii_strdown(name, -1);
	guint nth = GPOINTER_TO_UINT(g_hash_table_lookup(counts, folded)) + 1;

	g_hash_table_replace(counts, folded, GUINT_TO_POINTER(nth));
	return nth;
}

/* Each of them, if there are several: which one a reader's program shows, nobody knows. */
static void change_subject(GPtrArray *edits, const Header *header, guint nth,
			   const SubjectWish *wish)
{
	g_autofree char *value = subject_value(header->value, wish);

	if (value)
		add_edit(edits, EDIT_CHANGE, header->name, nth, value);
}

static void add_subject(GPtrArray *edits, const SubjectWish *wish)
{
	g_autofree char *value = subject_value(NULL, wish);

	if (value)
		add_edit(edits, EDIT_ADD, "Subject", 0, value);
}

/* The first subject becomes the one that hides it; the others, and what repeats it, go. */
static void hide_field(GPtrArray *edits, GPtrArray *deletions, const Header *header, guint nth)
{
	if (nth == 1 && g_ascii_strcasecmp(header->name, "Subject") == 0)
		add_edit(edits, EDIT_CHANGE, header->name, nth, HEADPROTECT_HIDDEN);
	else
		add_edit(deletions, EDIT_DELETE, header->name, nth, NULL);
}

static gboolean is_restored(const EditWish *wish, const char *name)
{
	return wish->restored && headers_count_name(wish->restored, name) > 0;
}

/* The nth field of a name becomes the nth restored one, in its place; what is left over goes. */
static void restore_field(GPtrArray *edits, GPtrArray *deletions, const Header *header, guint nth,
			  const Headers *restored)
{
	const Header *field = headers_find(restored, header->name, nth - 1);

	if (field)
		add_edit(edits, EDIT_CHANGE, header->name, nth, field->value);
	else
		add_edit(deletions, EDIT_DELETE, header->name, nth, NULL);
}

/* Those that no field stood for outside. */
static void add_restored(GPtrArray *edits, const Headers *received, const Headers *restored)
{
	g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < headers_count(restored); i++) {
		const Header *field = headers_at(restored, i);

		if (count_name(counts, field->name) > headers_count_name(received, field->name))
			add_edit(edits, EDIT_ADD, field->name, 0, field->value);
	}
}

static void add_content(GPtrArray *edits, const Headers *received, const Headers *content)
{
	if (headers_count_name(received, "MIME-Version") == 0)
		add_edit(edits, EDIT_ADD, "MIME-Version", 0, " 1.0");
	for (guint i = 0; i < headers_count(content); i++) {
		const Header *header = headers_at(content, i);

		if (header_is_content(header->name))
			add_edit(edits, EDIT_ADD, header->name, 0, header->value);
	}
}

GPtrArray *edits_for(const Headers *received, const EditWish *wish)
{
	GPtrArray *edits = g_ptr_array_new_with_free_func((GDestroyNotify)edit_free);
	g_autoptr(GPtrArray) deletions = g_ptr_array_new_with_free_func((GDestroyNotify)edit_free);
	g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < headers_count(received); i++) {
		const Header *header = headers_at(received, i);
		guint nth = count_name(counts, header->name);

		if (is_unwelcome(header, wish) ||
		    (wish->content && header_is_content(header->name)))
			add_edit(deletions, EDIT_DELETE, header->name, nth, NULL);
		else if (wish->hide_subject && headprotect_is_hidden(header->name))
			hide_field(edits, deletions, header, nth);
		else if (g_ascii_strcasecmp(header->name, "Subject") == 0)
			change_subject(edits, header, nth, &wish->subject);
		else if (is_restored(wish, header->name))
			restore_field(edits, deletions, header, nth, wish->restored);
	}
	while (deletions->len > 0)
		g_ptr_array_add(edits, g_ptr_array_steal_index(deletions, deletions->len - 1));
	if (headers_count_name(received, "Subject") == 0)
		add_subject(edits, &wish->subject);
	if (wish->restored)
		add_restored(edits, received, wish->restored);
	if (wish->content)
		add_content(edits, received, wish->content);
	if (wish->route) {
		g_autofree char *value = g_strconcat(" ", wish->route, NULL);

		add_edit(edits, EDIT_ADD, EDITS_ROUTE, 0, value);
	}
	if (wish->details)
		add_edit(edits, EDIT_INSERT, "X-Sealpost-Incoming", 0, wish->details);
	if (wish->results)
		add_edit(edits, EDIT_INSERT, "Authentication-Results", 0, wish->results);
	return edits;
}

/* What becomes of each received field: its new value, NULL for a deleted one. Working on marks
 * instead of a shrinking list keeps this linear; "highest index first" makes both the same. */
static GHashTable *places(const Headers *received)
{
	GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < headers_count(received); i++) {
		const char *name = headers_at(received, i)->name;
		g_autofree char *folded = g_ascii_strdown(name, -1);

		g_hash_table_insert(table,
				    g_strdup_printf("%s %u", folded, count_name(counts, name)),
				    GUINT_TO_POINTER(i));
	}
	return table;
}

/* The fields that stay, with their values, then the additions. */
static Headers *rebuild(const Headers *received, const char *const *values, const GPtrArray *edits,
			GError **error)
{
	g_autoptr(Headers) headers = headers_new();

	for (guint i = edits->len; i-- > 0;) {
		const Edit *edit = edits->pdata[i];

		if (edit->kind == EDIT_INSERT &&
		    !headers_append(headers, edit->name, edit->value, error))
			return NULL;
	}
	for (guint i = 0; i < headers_count(received); i++)
		if (values[i] &&
		    !headers_append(headers, headers_at(received, i)->name, values[i], error))
			return NULL;
	for (guint i = 0; i < edits->len; i++) {
		const Edit *edit = edits->pdata[i];

		if (edit->kind == EDIT_ADD &&
		    !headers_append(headers, edit->name, edit->value, error))
			return NULL;
	}
	return g_steal_pointer(&headers);
}

Headers *edits_apply(const Headers *received, const GPtrArray *edits, GError **error)
{
	guint count = headers_count(received);
	g_autofree const char **values = g_new0(const char *, count + 1);
	g_autoptr(GHashTable) table = places(received);

	for (guint i = 0; i < count; i++)
		values[i] = headers_at(received, i)->value;
	for (guint i = 0; i < edits->len; i++) {
		const Edit *edit = edits->pdata[i];
		g_autofree char *folded = g_ascii_strdown(edit->name, -1);
		g_autofree char *place = g_strdup_printf("%s %u", folded, edit->nth);
		gpointer index = NULL;

		if (edit->kind != EDIT_ADD && edit->kind != EDIT_INSERT &&
		    g_hash_table_lookup_extended(table, place, NULL, &index))
			values[GPOINTER_TO_UINT(index)] = edit->value;
	}
	return rebuild(received, values, edits, error);
}
