/* SPDX-License-Identifier: Apache-2.0
 *
 * The subject tags by which the reader sees at a glance how a message was protected: "[encrypted]",
 * "[signed: address]", "[WARNING: …]". Which of them and in which language says [incoming] of
 * sealpost.conf. They claim no more than what holds for all that he sees. Pure.
 */
#ifndef SEALPOST_GATEWAY_TAGS_H
#define SEALPOST_GATEWAY_TAGS_H

#include "lib/base/conf.h"

#include "gateway/opened.h"

typedef struct {
	gboolean encrypted, signed_by, warning; /* which; none: the Subject is left alone */
	guint language; /* index into the texts */
} Tags;

/* ERROR_CONFIG for a word that names no tag or no language. */
gboolean tags_read(const Conf *conf, Tags *tags, GError **error);
gboolean tags_wanted(const Tags *tags);

/* What stands in front of the Subject; "" if there is nothing to say. opened: NULL for mail without
 * protection. New string. */
char *tags_text(const Tags *tags, const Opened *opened);

#endif
