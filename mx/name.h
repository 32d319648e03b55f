/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NAME_H
#define NAME_H

#include <netinet/in.h>

#define NAME_LEN_MAX 253 /* of a domain name as text, without a final dot */

/*
 * Whether a string is a domain name: labels of at most 63 letters, digits,
 * hyphens and underscores (RFC 1035, 2.3.1 and 2.3.4).  Such a name is safe to
 * print.
 */
int name_is_valid(const char *);

/* Whether a string has bytes beyond ASCII; the DNS has such names as "xn--". */
int name_is_international(const char *);

/* Whether a string is an address in brackets: RFC 5321, 4.1.3. */
int name_is_literal(const char *);

/* Whether a name is localhost, which on any machine means that machine. */
int name_is_localhost(const char *);

/* Map an IPv4 address of 4 bytes into IPv6: RFC 4291, 2.5.5.2. */
void name_map_ipv4(const void *, struct in6_addr *);

/*
 * Write an address as text to a buffer of INET6_ADDRSTRLEN bytes; an
 * IPv4-mapped address is written as IPv4.  Returns the buffer.
 */
const char *name_address(const struct in6_addr *, char *);

#endif
