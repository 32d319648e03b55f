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
	DNS_NO_ANSWER, /* no name server answers, or those that do fail */
	DNS_MALFORMED, /* the answer cannot be read */
	DNS_LOOP       /* an alias leads back to itself */
};

struct dns_record {
	unsigned preference;	  /* of an MX record */
	char name[DNS_NAME_SIZE]; /* of an MX record; "" is the root */
	struct in6_addr addr;	  /* of an A record, mapped, or an AAAA */
};

struct dns_answer {
	enum dns_status status;
	int is_alias; /* the name is a CNAME of that which has the records */
	int is_cut;   /* there are more records than there is room */
	size_t count; /* 0 unless the status is DNS_FOUND */
	struct dns_record records[DNS_RECORDS_MAX];
};

/*
 * Look up a name as the machine does, see resolv.conf(5), but without its
 * search list.  The type is T_A, T_AAAA or T_MX of arpa/nameser.h.  Takes as
 * long as the resolver's own limits allow.
 */
void dns_lookup(const char *name, int type, struct dns_answer *);

/*
 * Read the answer to such a lookup, whatever is in it.  All names in the
 * result are printable ASCII: any other byte is "\DDD", as RFC 1035, 5.1, has
 * it.
 */
void dns_parse(const unsigned char *message, size_t size, const char *name,
    int type, struct dns_answer *);

#endif
