/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Linked into each program that "make check-sanitized" builds.  What the
 * sanitizers find goes into a file in REPORTS, even if the process has another
 * standard error or no environment, and shows in the exit status.
 */

#define STRING(text)   #text
#define EXPANDED(text) STRING(text)
#define OPTIONS	       "exitcode=99:log_path=" EXPANDED(REPORTS) "/report"

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	return OPTIONS ":detect_stack_use_after_return=1";
}

const char *
__ubsan_default_options(void)
{
	return OPTIONS ":print_stacktrace=1";
}
