/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning the senders' keys. While a message is opened, keys that came along are looked at, and
 * those that its signature proves are noted; when its answer is known, they are handed to the
 * keystore, which decides (keystore/learn.h). Whatever goes wrong here is logged; the message's way
 * does not change by it.
 */
#ifndef SEALPOST_GATEWAY_LESSONS_H
#define SEALPOST_GATEWAY_LESSONS_H

#include "gateway/open.h"
#include "gateway/plan.h"
#include "lib/crypt/cms_verify.h"
#include "lib/crypt/pgp_open.h"

/* Before an OpenPGP signature is verified: the keys in the message's Autocrypt field, and those
 * attached to or in the text of this part of the tree (NULL: the field alone), may verify it.
 * open_verifiers() must have been called. */
void lessons_collect(OpenWork *work, const MimeTree *tree, const MimePart *within);
/* After it, and after it was reported: if it is a good one by a key that came along, that is noted.
 * One that nobody else speaks for makes it "untrusted", never "good". */
void lessons_note_pgp(OpenWork *work, const PgpSignature *found, OpenSignature *signature);
/* The same for S/MIME, whose certificates a CA vouches for. */
void lessons_note_smime(OpenWork *work, const CmsSignature *found, const CmsVerified *verified,
			const OpenSignature *signature);
/* At the end of opening: where any signature is broken, nothing is learned. */
void lessons_conclude(OpenWork *work);

/* When the message has its answer: takes what its recipients' copies have to teach. Does not wait. */
void lessons_hand_over(const Job *job, const Plan *plan);

#endif
