/*
 * fault.c
 *		Sentences about failures.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"

/* A message that came from elsewhere must not break lines or play with a terminal. */
static void
fault_clean(fault *f)
{
	char	   *end = f->text;

	for (char *p = f->text; *p != '\0'; p++)
	{
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			*p = ' ';
		if (*p != ' ')
			end = p + 1;
	}
	*end = '\0';
}

bool
fault_set(fault *f, const char *format, ...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	fault_clean(f);
	return false;
}

/* Puts "<where>: " before what is there. */
bool
fault_at(fault *f, const char *format, ...)
{
	char		inner[sizeof(f->text)];
	va_list		args;
	size_t		n;

	memcpy(inner, f->text, sizeof(inner));
	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	n = strlen(f->text);
	snprintf(f->text + n, sizeof(f->text) - n, ": %s", inner);
	fault_clean(f);
	return false;
}
