/* SPDX-License-Identifier: GPL-2.0-or-later */

/* log_send(): text that is too long, and text that cannot be sent. */

#include <sys/resource.h>
#include <sys/wait.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../../log.h"
#include "unit.h"

/* How much log_send() writes to standard error of a text of len bytes. */
static size_t
bytes_sent(size_t len, int *result)
{
	char text[1000], sent[1000];
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t got;

	memset(text, 'x', len);
	text[len] = '\0';
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	*result = log_send(0, text, 0);
	ck_assert_int_eq(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	close(ends[1]);
	got = read(ends[0], sent, sizeof(sent));
	close(ends[0]);
	ck_assert_int_ge(got, 0);
	ck_assert_ptr_null(memchr(sent, '\0', (size_t)got));
	return (size_t)got;
}

START_TEST(cuts_long_text)
{
	char prefix[64];
	size_t len, around;
	int result;

	log_open(1, NULL);
	around = (size_t)snprintf(
	    prefix, sizeof(prefix), "tarpit[%ld]: \n", (long)getpid());
	for (len = 0; len < 500; len++) {
		ck_assert_uint_eq(bytes_sent(len, &result),
		    len + around < 383 ? len + around : 383);
		ck_assert_int_eq(result, 0);
	}
}
END_TEST

/* The test forks by itself, since check does not always do so. */
START_TEST(says_what_cannot_be_sent)
{
	const struct rlimit none = { 0, 0 };
	int status;
	pid_t child = fork();

	ck_assert_int_ne(child, -1);
	if (child == 0) {
		close(STDERR_FILENO);
		log_open(1, NULL);
		status = log_send(LOG_ERR, "nowhere", 0) == -1 ? 0 : 1;
		log_open(0, NULL);
		setrlimit(RLIMIT_NOFILE, &none);
		status += log_send(LOG_ERR, "no socket", 0) == -1 ? 0 : 2;
		_exit(status);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("log");

	tcase_add_test(tcase, cuts_long_text);
	tcase_add_test(tcase, says_what_cannot_be_sent);
	return run_case(tcase, "log");
}
