/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Asking the DNS, with libresolv.
 */

#include <sys/types.h>

#include <netinet/in.h>

#include <arpa/nameser.h>

#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dns.h"
#include "name.h"

#define ALIASES_MAX 16 /* how many aliases a resolver follows */

static enum dns_status status_of_failure(void);
static enum dns_status follow_aliases(ns_msg *, char *, int *);
static int find_alias(ns_msg *, char *);
static enum dns_status take_records(
    ns_msg *, const char *, int, struct dns_answer *);
static int take_record(const ns_msg *, const ns_rr *, struct dns_record *);
static int take_exchange(const ns_msg *, const ns_rr *, struct dns_record *);

void
dns_lookup(const char *name, int type, struct dns_answer *answer)
{
	static unsigned char message[NS_MAXMSG];
	int size;

	size = res_query(name, ns_c_in, type, message, sizeof(message));
	if (size == -1) {
		memset(answer, 0, sizeof(*answer));
		answer->status = status_of_failure();
		return;
	}
	dns_parse(message, (size_t)size, name, type, answer);
}

static enum dns_status
status_of_failure(void)
{
	switch (h_errno) {
	case HOST_NOT_FOUND:
		return DNS_NO_NAME;
	case NO_DATA:
		return DNS_NO_RECORD;
	default:
		return DNS_NO_ANSWER;
	}
}

void
dns_parse(const unsigned char *message, size_t size, const char *name, int type,
    struct dns_answer *answer)
{
	char owner[DNS_NAME_SIZE];
	ns_msg msg;

	memset(answer, 0, sizeof(*answer));
	answer->status = DNS_MALFORMED;
	if (size > NS_MAXMSG || ns_initparse(message, (int)size, &msg) == -1)
		return;
	snprintf(owner, sizeof(owner), "%s", name);
	answer->status = follow_aliases(&msg, owner, &answer->is_alias);
	if (answer->status == DNS_FOUND)
		answer->status = take_records(&msg, owner, type, answer);
	if (answer->status != DNS_FOUND)
		answer->count = 0;
}

/* Replace the name with the name that its aliases lead to. */
static enum dns_status
follow_aliases(ns_msg *msg, char *name, int *is_alias)
{
	int followed;

	for (followed = 0; followed <= ALIASES_MAX; followed++) {
		switch (find_alias(msg, name)) {
		case -1:
			return DNS_MALFORMED;
		case 0:
			*is_alias = followed > 0;
			return DNS_FOUND;
		}
	}
	return DNS_LOOP;
}

/*
 * If the name is an alias, replace it with the name that it stands for, and
 * return 1.  Returns 0 if it is no alias, or -1 if the message is malformed.
 */
static int
find_alias(ns_msg *msg, char *name)
{
	ns_rr rr;
	int i;

	for (i = 0; i < ns_msg_count(*msg, ns_s_an); i++) {
		if (ns_parserr(msg, ns_s_an, i, &rr) == -1)
			return -1;
		if (ns_rr_type(rr) != ns_t_cname ||
		    ns_rr_class(rr) != ns_c_in ||
		    strcasecmp(ns_rr_name(rr), name) != 0)
			continue;
		return dn_expand(ns_msg_base(*msg), ns_msg_end(*msg),
			   ns_rr_rdata(rr), name, DNS_NAME_SIZE) == -1
		    ? -1
		    : 1;
	}
	return 0;
}

static enum dns_status
take_records(
    ns_msg *msg, const char *owner, int type, struct dns_answer *answer)
{
	ns_rr rr;
	int i;

	for (i = 0; i < ns_msg_count(*msg, ns_s_an); i++) {
		if (ns_parserr(msg, ns_s_an, i, &rr) == -1)
			return DNS_MALFORMED;
		if ((int)ns_rr_type(rr) != type || ns_rr_class(rr) != ns_c_in ||
		    strcasecmp(ns_rr_name(rr), owner) != 0)
			continue;
		if (answer->count == DNS_RECORDS_MAX) {
			answer->is_cut = 1;
			break;
		}
		if (take_record(msg, &rr, &answer->records[answer->count]) ==
		    -1)
			return DNS_MALFORMED;
		answer->count++;
	}
	return answer->count > 0 ? DNS_FOUND : DNS_NO_RECORD;
}

static int
take_record(const ns_msg *msg, const ns_rr *rr, struct dns_record *record)
{
	switch (ns_rr_type(*rr)) {
	case ns_t_a:
		if (ns_rr_rdlen(*rr) != NS_INADDRSZ)
			return -1;
		name_map_ipv4(ns_rr_rdata(*rr), &record->addr);
		return 0;
	case ns_t_aaaa:
		if (ns_rr_rdlen(*rr) != NS_IN6ADDRSZ)
			return -1;
		memcpy(&record->addr, ns_rr_rdata(*rr), NS_IN6ADDRSZ);
		return 0;
	default:
		return take_exchange(msg, rr, record);
	}
}

/* The data of an MX record: RFC 1035, 3.3.9. */
static int
take_exchange(const ns_msg *msg, const ns_rr *rr, struct dns_record *record)
{
	const unsigned char *data = ns_rr_rdata(*rr);
	int len;

	if (ns_rr_rdlen(*rr) <= NS_INT16SZ)
		return -1;
	record->preference = ns_get16(data);
	len = dn_expand(ns_msg_base(*msg), ns_msg_end(*msg), data + NS_INT16SZ,
	    record->name, sizeof(record->name));
	return len == ns_rr_rdlen(*rr) - NS_INT16SZ ? 0 : -1;
}
