/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a map of type accounts:. */
#include "map_target.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return run_map(accounts_load, data, size);
}
