/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a map of type owners:. */
#include "map_target.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return run_map(owners_load, data, size);
}
