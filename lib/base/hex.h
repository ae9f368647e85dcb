/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as hex digits. A printf() for each byte would cost more than what the digits stand for.
 */
#ifndef SEALPOST_LIB_BASE_HEX_H
#define SEALPOST_LIB_BASE_HEX_H

#include <glib.h>

/* Two digits a byte, lower case. */
void hex_append(GString *text, const void *data, gsize size);

#endif
