/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection that speaks in lines and knows one deadline for everything it does. For smtp.c.
 */
#ifndef SEALPOST_LIB_MAIL_SMTPWIRE_H
#define SEALPOST_LIB_MAIL_SMTPWIRE_H

#include <glib.h>

/* Longest line of a server (RFC 5321, section 4.5.3.1.5, says 512). */
#define WIRE_LINE_MAX 4096

typedef struct Wire Wire;

/* Has the endpoint the form that smtp.h names? ERROR_CONFIG. */
gboolean wire_check_endpoint(const char *endpoint, GError **error);
/* endpoint as in smtp.h. ERROR_CONFIG, ERROR_RESUBMIT, ERROR_TIMEOUT. */
Wire *wire_connect(const char *endpoint, gint64 deadline, GError **error);
void wire_close(Wire *wire);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Wire, wire_close)

/* All of it is handed to the kernel, or an error. */
gboolean wire_write(Wire *wire, const void *data, gsize size, GError **error);

/* The next line without its line end, in line (overwritten). */
gboolean wire_read_line(Wire *wire, GString *line, GError **error);

#endif
