/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DNS_H
#define DNS_H

#include <netinet/in.h>

#include <stddef.h>

#define DNS_NAME_SIZE	1025 /* NS_MAXDNAME of arpa/nameser.h */
#define DNS_RECORDS_MAX 32

enum dns_status {
	DNS_FOUND,
	DNS_NO_NAME,   /* the name does not exist */
	DNS_NO_RECORD, /* the name has no record of this type */
	DNS_NO_ANSWER, /* no name server answers, or only with a failure */
	DNS_MALFORMED, /* the answer cannot be read */
	DNS_LOOP       /* an alias leads back to itself */
};

struct dns_record {
	unsigned preference;	  /* in an MX record */
	char name[DNS_NAME_SIZE]; /* in an MX record; "" is the root */
	struct in6_addr addr;	  /* in an AAAA record, or mapped, in an A */
};

struct dns_answer {
	enum dns_status status;
	int is_alias; /* a CNAME led to the name that has the records */
	int is_cut;   /* more records exist than fit here */
	size_t count; /* 0 unless the status is DNS_FOUND */
	struct dns_record records[DNS_RECORDS_MAX];
};

/*
 * Look up a name as the machine does (see resolv.conf(5)), but without the
 * search list.  The type is T_A, T_AAAA or T_MX of arpa/nameser.h.  The lookup
 * takes as long as the resolver's own limits allow.
 */
void dns_lookup(const char *name, int type, struct dns_answer *);

/*
 * Read a name server's answer to a lookup of name and type, whatever bytes the
 * message has.  All names in the result are printable ASCII: any other byte is
 * written as "\DDD", as in RFC 1035, 5.1.
 */
void dns_parse(const unsigned char *message, size_t size, const char *name,
    int type, struct dns_answer *);

#endif
