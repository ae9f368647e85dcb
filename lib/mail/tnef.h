/* SPDX-License-Identifier: Apache-2.0
 *
 * winmail.dat: what Outlook makes of a message in its rich text (TNEF, MS-OXTNEF), the text and all its
 * attachments in one file of attributes. Read for one question: is it S/MIME that was wrapped up
 * (MS-OXOSMIME, section 2.1.3)? Foreign bytes: every length is checked, nothing is copied but the
 * message's class.
 */
#ifndef SEALPOST_LIB_MAIL_TNEF_H
#define SEALPOST_LIB_MAIL_TNEF_H

#include "lib/mail/spool.h"

/* Most attributes that are looked at; what is behind them does not count. */
#define TNEF_ATTRIBUTES_MAX 1000
/* Most characters of a class. */
#define TNEF_CLASS_MAX 60

typedef struct {
	char class[TNEF_CLASS_MAX +
		   1]; /* "IPM.Note.SMIME"; "" if it is not told, in time or at all */
	guint attachments;
	Range data; /* the last attachment's bytes in the file; empty if it has none */
} Tnef;

/* FALSE: the file does not begin as TNEF does. Of one that is cut, or goes on as something else, what
 * came before. */
gboolean tnef_read(Spool *file, Tnef *tnef);

/* Is S/MIME what it says that it holds? */
gboolean tnef_claims_smime(const Tnef *tnef);

#endif
