/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NAME_H
#define NAME_H

#include <netinet/in.h>

#define NAME_LEN_MAX 253 /* of a domain name as text, without a last dot */

/*
 * Whether it is a domain name of letters, digits, hyphens and underscores, in
 * labels of at most 63: RFC 1035, 2.3.1 and 2.3.4.  So it is safe to print.
 */
int name_is_valid(const char *);

/* Whether any byte is not ASCII, as in a name that the DNS has as "xn--". */
int name_is_international(const char *);

/* Whether it is an address in brackets: RFC 5321, 4.1.3. */
int name_is_literal(const char *);

/* Whether it stands for whatever machine it is said on. */
int name_is_localhost(const char *);

/* The IPv4 address of 4 bytes as a mapped one: RFC 4291, 2.5.5.2. */
void name_map_ipv4(const void *, struct in6_addr *);

/*
 * Write an address as text, an IPv4-mapped one as IPv4; the buffer has
 * INET6_ADDRSTRLEN bytes.  Returns the buffer.
 */
const char *name_address(const struct in6_addr *, char *);

#endif
