/* SPDX-License-Identifier: Apache-2.0
 *
 * What a message's sender is told where its recipient could not be: that the MTA takes no notice to
 * that address. A delivery status notification (RFC 3464) as the MTA's own would be; it says nothing of
 * the message but to whom it was.
 */
#ifndef SEALPOST_PORTAL_REPORT_H
#define SEALPOST_PORTAL_REPORT_H

#include "portal/notice.h"

/* Is anybody to be told? Not of mail with a null sender (RFC 3834), nor where NOTIFY= does not name
 * failures (RFC 3461, section 4.1). */
gboolean report_wanted(const Notice *notice);

/* To notice->return_path; notice->refused is set. */
gboolean report_compose(const Notice *notice, const Conf *conf, const Texts *texts,
			NoticeMail *mail, GError **error);

#endif
