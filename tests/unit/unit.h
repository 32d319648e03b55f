/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * For checks by the million: ck_assert() notes its place each time, which takes
 * longer than most of what is checked.
 */
#define CHECK(truth) \
	do { \
		if (!(truth)) \
			ck_abort_msg("not so: %s", #truth); \
	} while (0)

/* A generous limit, for a busy machine. */
#define TEST_SECONDS 60

/* Run all tests of one case; returns main()'s exit status. */
static int
run_case(TCase *tcase, const char *name)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, TEST_SECONDS);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
