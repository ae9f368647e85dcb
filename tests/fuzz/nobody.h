/* SPDX-License-Identifier: Apache-2.0
 *
 * A key that everybody knows, for what the corpora are encrypted to: P-256 with the private number
 * 42. Its certificate: issuer CN=fuzz, serial number 1, address fuzz@firma.example.
 */
#ifndef SEALPOST_TESTS_FUZZ_NOBODY_H
#define SEALPOST_TESTS_FUZZ_NOBODY_H

#include "lib/crypt/x509.h"

PrivateKey *nobody_key(void);
Cert *nobody_cert(void);

#endif
