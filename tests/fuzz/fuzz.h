/* SPDX-License-Identifier: Apache-2.0
 *
 * What libFuzzer calls, or replay.c where the build is a normal one.
 */
#ifndef SEALPOST_TESTS_FUZZ_FUZZ_H
#define SEALPOST_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
