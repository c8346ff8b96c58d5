/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the maps that are read line by line have in common, private to maps: a
 * line counts as a whole, or with an error in it not at all.
 */
#ifndef FROMGUARD_MAPS_WHOLE_LINES_H
#define FROMGUARD_MAPS_WHOLE_LINES_H

#include "maps/map.h"

/*
 * Take one line: entries go to context->sink, problems to context->problems.
 * False where the sink was.
 */
typedef bool line_loader(struct span line, uint32_t number,
			 const struct map_context *context);

/*
 * Give every line of content to load, and the entries of lines in which no
 * error was found on to context->sink. A denial in a line with an error is a
 * refusal: to leave it out would be to allow. As map_load() returns.
 */
bool whole_lines_load(char *content, size_t len,
		      const struct map_context *context, line_loader *load);

#endif
