/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The title: every character of UTF-8, and bytes that are no character. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../stats/title.c"
#include "unit.h"

#define CHARACTER_LAST 0x10ffff

/* Encode a number of up to 21 bits in UTF-8, with a given number of bytes. */
static void
encode(uint32_t number, int bytes, char *text)
{
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	int i;

	text[bytes] = '\0';
	for (i = bytes - 1; i > 0; i--) {
		text[i] = (char)(0x80 | (number & 0x3f));
		number >>= 6;
	}
	text[0] = (char)(first[bytes] | number);
}

static int
bytes_of(uint32_t number)
{
	if (number < 0x80)
		return 1;
	if (number < 0x800)
		return 2;
	return number < 0x10000 ? 3 : 4;
}

static int
is_control(uint32_t number)
{
	return number < 0x20 || (number >= 0x7f && number < 0xa0);
}

START_TEST(title_is_any_character_of_utf8)
{
	uint32_t number;
	char text[8];

	for (number = 1; number <= CHARACTER_LAST + 0x1000; number++) {
		int good = !is_control(number) &&
		    (number < 0xd800 || number > 0xdfff) &&
		    number <= CHARACTER_LAST;

		encode(number, bytes_of(number), text);
		CHECK((title_problem(text) == NULL) == good);
	}
}
END_TEST

START_TEST(title_has_no_character_in_more_bytes_than_it_needs)
{
	uint32_t number;
	char text[8];
	int bytes;

	for (number = 0; number < 0x10000; number++) {
		for (bytes = bytes_of(number) + 1; bytes <= 4; bytes++) {
			encode(number, bytes, text);
			CHECK(title_problem(text) != NULL);
		}
	}
}
END_TEST

/* A character that is cut off: nothing is read beyond the NUL of the text. */
START_TEST(title_has_no_part_of_a_character)
{
	static const uint32_t numbers[] = { 0xe9, 0x20ac, 0x1f4e7 };
	char text[8], *part;
	size_t i;
	int len;

	for (i = 0; i < COUNT(numbers); i++) {
		encode(numbers[i], bytes_of(numbers[i]), text);
		for (len = 1; len < bytes_of(numbers[i]); len++) {
			part = strndup(text, (size_t)len);
			ck_assert_ptr_nonnull(part);
			ck_assert_str_eq(
			    title_problem(part), "not a line of UTF-8");
			free(part);
			ck_assert_ptr_nonnull(title_problem(text + len));
		}
	}
}
END_TEST

START_TEST(title_is_bounded)
{
	char title[TITLE_LEN_MAX + 2];

	memset(title, 'a', sizeof(title));
	title[TITLE_LEN_MAX] = '\0';
	ck_assert_ptr_null(title_problem(title));
	title[TITLE_LEN_MAX] = 'a';
	title[TITLE_LEN_MAX + 1] = '\0';
	ck_assert_str_eq(title_problem(title), "too long (1 to 100 bytes)");
	ck_assert_str_eq(title_problem(""), "too short (1 to 100 bytes)");
}
END_TEST

static void
check_written(void (*write)(FILE *, const char *), const char *title,
    const char *expected)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	write(out, title);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(title_is_no_markup)
{
	check_written(
	    title_write_html, "a<b>&\"c'", "a&#60;b&#62;&#38;&#34;c&#39;");
	check_written(title_write_html, "\xc3\xa9", "\xc3\xa9");
	check_written(title_write_json, "a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	check_written(title_write_json, "\xc3\xa9<", "\"\xc3\xa9<\"");
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("title");

	tcase_add_test(tcase, title_is_any_character_of_utf8);
	tcase_add_test(
	    tcase, title_has_no_character_in_more_bytes_than_it_needs);
	tcase_add_test(tcase, title_has_no_part_of_a_character);
	tcase_add_test(tcase, title_is_bounded);
	tcase_add_test(tcase, title_is_no_markup);
	return run_case(tcase, "title");
}
