/* SPDX-License-Identifier: BSD-2-Clause */
/* fromguard version: which one this is. */
#include "cmd/cmd.h"

#include <stdio.h>

int
cmd_version(int argc, char **argv)
{
	static const char short_options[] = "+h";
	static const struct option long_options[] = {
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, short_options, long_options,
				NULL)) != -1) {
		if (c == 'h')
			return cmd_help("version");
		return cmd_bad_option("version", argv, short_options,
				      long_options);
	}
	if (optind != argc)
		return cmd_usage("version", "there is an argument too many: %s",
				 argv[optind]);
	(void)puts("fromguard " FROMGUARD_VERSION);
	return CMD_OK;
}
