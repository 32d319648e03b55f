/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Domain names and addresses as text.
 */

#include <arpa/inet.h>

#include <string.h>
#include <strings.h>

#include "name.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

#define LABEL_LEN_MAX 63

int
name_is_valid(const char *s)
{
	if (strlen(s) > NAME_LEN_MAX)
		return 0;
	for (;;) {
		size_t label = strspn(s, LETTERS DIGITS "-_");

		if (label == 0 || label > LABEL_LEN_MAX || s[0] == '-' ||
		    s[label - 1] == '-')
			return 0;
		s += label;
		if (*s == '\0')
			return 1;
		if (*s++ != '.')
			return 0;
	}
}

int
name_is_international(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s > 127)
			return 1;
	}
	return 0;
}

int
name_is_literal(const char *s)
{
	static const char ipv6[] = "[IPv6:";
	char buf[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	size_t len = strlen(s), tag = 1;
	int family = AF_INET;

	if (len < 2 || s[0] != '[' || s[len - 1] != ']')
		return 0;
	if (strncasecmp(s, ipv6, sizeof(ipv6) - 1) == 0) {
		family = AF_INET6;
		tag = sizeof(ipv6) - 1;
	}
	len -= tag + 1;
	if (len >= sizeof(buf))
		return 0;
	memcpy(buf, s + tag, len);
	buf[len] = '\0';
	return inet_pton(family, buf, &addr) == 1;
}

int
name_is_localhost(const char *s)
{
	static const char localhost[] = "localhost";
	size_t len = sizeof(localhost) - 1;

	return strncasecmp(s, localhost, len) == 0 &&
	    (s[len] == '\0' || s[len] == '.');
}

void
name_map_ipv4(const void *from, struct in6_addr *to)
{
	memset(to, 0, sizeof(*to));
	memset(&to->s6_addr[10], 0xff, 2);
	memcpy(&to->s6_addr[12], from, 4);
}

const char *
name_address(const struct in6_addr *addr, char *buf)
{
	if (IN6_IS_ADDR_V4MAPPED(addr))
		inet_ntop(AF_INET, &addr->s6_addr[12], buf, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, addr, buf, INET6_ADDRSTRLEN);
	return buf;
}
