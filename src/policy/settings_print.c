/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "settings_internal.h"

#include <stdlib.h>

char *
settings_format(const struct settings *settings, size_t i)
{
	const struct setting *setting = setting_at(i);
	struct buffer out = {0};

	setting->type->format(setting, (const char *)settings + setting->offset,
			      &out);
	return out.data != NULL ? out.data : memory_copy("", 0);
}

enum setting_source
settings_source(const struct settings *settings, size_t i)
{
	return settings->sources[i];
}

/* Are row i of both the same? */
static bool
same_value(const struct settings *a, const struct settings *b, size_t i)
{
	char *text_a = settings_format(a, i);
	char *text_b = settings_format(b, i);
	bool same = strcmp(text_a, text_b) == 0;

	free(text_a);
	free(text_b);
	return same;
}

void
settings_frozen_changes(const struct settings *old, const struct settings *new,
			void (*changed)(void *arg, const char *name), void *arg)
{
	for (size_t i = 0; i < setting_count(); i++) {
		const struct setting_info *info = settings_row(i);

		if (!info->reloadable && !same_value(old, new, i))
			changed(arg, info->name);
	}
}
