/* SPDX-License-Identifier: Apache-2.0
 *
 * The fourth step: the bytes of one variant, streaming. Nothing leaves here; every output is made
 * and looked at again before the first one does: its recipients must be those of the plan.
 */
#ifndef SEALPOST_GATEWAY_PROTECT_H
#define SEALPOST_GATEWAY_PROTECT_H

#include "gateway/edits.h"
#include "gateway/legacydisplay.h"
#include "gateway/parse.h"
#include "gateway/plan.h"

typedef struct {
	GPtrArray *edits; /* of Edit *: what becomes of the header fields */
	Spool *body; /* where the new body lies; NULL: the body stays as it is */
	Range body_range;
	gboolean opened; /* a bounce must carry its header fields at most */
	gboolean cut; /* a report, without what it quoted of a message that we opened */
	char *inner_sha256; /* of the entity that was encrypted; NULL if none was, or nobody asks */
} Output;

void output_free(Output *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Output, output_free)

/* The message as it will leave: fields with the edits carried out, and the body's source. */
Headers *output_headers(const Job *job, const Output *output, GError **error);
Source *output_body(const Job *job, const Output *output);

/* What one variant is made from. */
typedef struct {
	const Job *job;
	const Parsed *parsed;
	const Plan *plan;
	const PlanVariant *variant;
	gint64 deadline; /* when it must be made; g_get_monotonic_time() */
	/* protect() fills these. */
	Headers *inside; /* the header fields that go inside; NULL: no header protection */
	LegacyDisplay *display; /* ... and for readers that do not know it; NULL: none */
	gboolean wrap; /* the client's layer stays as it is, in a multipart that carries them */
} ProtectJob;

/* ERROR_CRYPTO, ERROR_KEY_UNUSABLE, ERROR_TIMEOUT, ERROR_DISK_FULL, … */
Output *protect(const ProtectJob *order, GError **error);

/* One output for each variant, in order; NULL if one fails. Large messages' variants are made side
 * by side. done: folded addresses of those who have their copy already, NULL for nobody: a variant
 * that is left to nobody has no output (NULL in its place). Nor have, of our own people's mail, the
 * last ones where there are more than half of the message's time has room for: a large message to a
 * hundred hidden recipients comes again, and again some of them get theirs. ERROR_TOO_COSTLY where
 * one alone is too much work for that time. */
GPtrArray *protect_all(const Job *job, const Parsed *parsed, const Plan *plan, GHashTable *done,
		       GError **error);

/* The parts of it, by technology (protect_smime.c, protect_pgp.c): the entity (content fields,
 * blank line, body) in, the new entity into a spool. Where entity is NULL only signing is asked
 * for and the functions make it transport-safe themselves. */
gboolean protect_smime(const ProtectJob *work, Source *entity, Spool *into, GError **error);
/* Reads an output again: is it encrypted (PGP: with integrity) to exactly the keys of the variant's
 * recipients? ERROR_CRYPTO. protect_smime() and protect_pgp() have asked it. */
gboolean protect_smime_check(Spool *output, const PlanVariant *variant, GError **error);
gboolean protect_pgp_check(Spool *output, const PlanVariant *variant, GError **error);
/* What all of a variant's recipients have told that they open: CmsCapability flags. */
guint protect_smime_capabilities(const PlanVariant *variant);
gboolean protect_pgp(const ProtectJob *work, Source *entity, Spool *into, GError **error);

/* protect_entity.c: the message's entity as it came, with the protected header. The same in a form
 * that survives relays, for signing: NULL with ERROR_UNSUPPORTED if that would change a part that is itself signed or encrypted. */
Source *protect_entity(const ProtectJob *work, GError **error);
Source *protect_safe_entity(const ProtectJob *work, GError **error);
/* An empty spool for an output; how it is written while there is time. */
Spool *protect_spool(const Job *job);
Sink *protect_sink(const ProtectJob *work, Spool *into);

#endif
