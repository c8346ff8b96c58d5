/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
error_set(struct error *error, const char *format, ...)
{
	va_list args;

	if (error == NULL)
		return;
	va_start(args, format);
	/* A text that is cut is still the best that there is. */
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
}

void
error_errno(struct error *error, int number, const char *format, ...)
{
	va_list args;
	size_t len;

	if (error == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	len = strlen(error->text);
	(void)snprintf(error->text + len, sizeof(error->text) - len, ": %s",
		       strerror(number));
}

void
problems_init(struct problems *problems)
{
	*problems = (struct problems){0};
}

void
problems_fini(struct problems *problems)
{
	if (problems == NULL)
		return;
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->list[i].file);
		free(problems->list[i].text);
	}
	free(problems->list);
	problems_init(problems);
}

void
problems_add(struct problems *problems, enum severity severity,
	     const char *file, uint32_t line, const char *format, ...)
{
	struct problem problem = {.severity = severity, .line = line};
	char text[1024];
	va_list args;

	if (problems == NULL)
		return;
	if (severity == PROBLEM_WARNING)
		problems->warnings++;
	else
		problems->errors++;
	if (severity == PROBLEM_REFUSAL)
		problems->refusals++;
	if (problems->count >= PROBLEMS_KEPT ||
	    !memory_try_grow((void **)&problems->list, &problems->room,
			     problems->count, sizeof(problem)))
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problem.file = memory_try_copy(file, strlen(file));
	problem.text = memory_try_copy(text, strlen(text));
	if (problem.file == NULL || problem.text == NULL) {
		free(problem.file);
		free(problem.text);
		return;
	}
	problems->list[problems->count++] = problem;
}

void
problem_format(const struct problem *problem, char *out, size_t size)
{
	if (problem->line > 0)
		(void)snprintf(out, size, "%s:%u: %s", problem->file,
			       problem->line, problem->text);
	else
		(void)snprintf(out, size, "%s: %s", problem->file,
			       problem->text);
}
