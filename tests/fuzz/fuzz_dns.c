/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Give dns_parse() the answer of a name server, in memory of exactly its size;
 * the first byte of the input is the type of the lookup.  Whatever the answer,
 * all names are safe to print, and there are no more records than room.
 */

#include <arpa/nameser.h>

#include <string.h>

#include "../../mx/dns.h"
#include "fuzz.h"

static void check_answer(const struct dns_answer *, int);
static void check_name(const char *);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int types[] = { T_MX, T_A, T_AAAA };
	static struct dns_answer answer;
	uint8_t *message;
	int type;

	if (size == 0)
		return 0;
	type = types[data[0] % 3];
	if ((message = malloc(size)) == NULL)
		abort();
	memcpy(message, data + 1, size - 1);
	message = realloc(message, size > 1 ? size - 1 : 1);
	if (message == NULL)
		abort();
	memset(&answer, 0x5a, sizeof(answer));
	dns_parse(message, size - 1, "example.org", type, &answer);
	check_answer(&answer, type);
	free(message);
	return 0;
}

static void
check_answer(const struct dns_answer *answer, int type)
{
	size_t i;

	CHECK(answer->count <= DNS_RECORDS_MAX);
	CHECK((answer->count > 0) == (answer->status == DNS_FOUND));
	CHECK(!answer->is_cut || answer->count == DNS_RECORDS_MAX ||
	    answer->status == DNS_MALFORMED);
	for (i = 0; i < answer->count; i++) {
		if (type == T_MX) {
			CHECK(answer->records[i].preference <= 0xffff);
			check_name(answer->records[i].name);
		}
		if (type == T_A)
			CHECK(IN6_IS_ADDR_V4MAPPED(&answer->records[i].addr));
	}
}

static void
check_name(const char *name)
{
	size_t i, len = strnlen(name, DNS_NAME_SIZE);

	CHECK(len < DNS_NAME_SIZE);
	for (i = 0; i < len; i++)
		CHECK(name[i] > ' ' && name[i] <= '~');
}
