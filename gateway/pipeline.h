/* SPDX-License-Identifier: Apache-2.0
 *
 * A message's way through the gateway, from the end of its data to the answer. Read pipeline.c
 * first. Needs no MTA: milter.c and explain both call it.
 */
#ifndef SEALPOST_GATEWAY_PIPELINE_H
#define SEALPOST_GATEWAY_PIPELINE_H

#include "gateway/handback.h"

/* Answers to encrypted mail from strangers come at multiples of this; of twice this if the message
 * has more than so many bytes, and so on. */
#define PIPELINE_BEAT_MS 250
#define PIPELINE_BEAT_BYTES (4 * 1024 * 1024)
/* ... but no later than this after the message's time (message_time), whatever the beat: the callback
 * must end. */
#define PIPELINE_OVER_MS 1000

/* Does the MTA still wait? Asked right before what cannot be taken back. */
typedef gboolean (*PipelineWaits)(void *context);

/* Everything for one message that has been received whole: never NULL. */
Handback *pipeline_run(Job *job, PipelineWaits waits, void *context);
/* Until the beat on which the MTA may have the answer. To be called when it has all else: edits of a
 * message that was opened take it longer. */
void pipeline_wait(const Job *job, const Handback *handback);
/* How many microseconds that is from now (monotonic). */
gint64 pipeline_pause(const Job *job, const Handback *handback, gint64 now);

/* The same up to the finished outputs, without an effect on anything: for explain. */
typedef struct {
	Parsed *parsed;
	Plan *plan;
	GPtrArray *outputs; /* of Output *, one for each variant; empty if nothing leaves */
	GError *error; /* why nothing leaves */
} Preview;
Preview *pipeline_preview(Job *job);
void preview_free(Preview *preview);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Preview, preview_free)

#endif
