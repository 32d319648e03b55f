/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DOMAIN_H
#define DOMAIN_H

#include <netinet/in.h>

#include <stddef.h>

#include "dns.h"
#include "name.h"

#define EXIT_UNKNOWN 2 /* something could not be found out */

#define HOSTS_MAX     DNS_RECORDS_MAX
#define ADDRESSES_MAX 16

/* What answers on port 25 of an address. */
enum service {
	SERVICE_LEFT_OUT,    /* the user left the address's family out */
	SERVICE_NOT_ASKED,   /* this machine could not even try */
	SERVICE_NO_ROUTE,    /* this machine has no route to the address */
	SERVICE_NO_REPLY,    /* nothing comes back */
	SERVICE_UNREACHABLE, /* a router reports the address unreachable */
	SERVICE_REFUSES,     /* the port is closed */
	SERVICE_CLOSES,	     /* the connection ends without a greeting */
	SERVICE_SILENT,	     /* the connection stays without a greeting */
	SERVICE_NOT_SMTP,
	SERVICE_TURNS_AWAY, /* a greeting with another code than 220 */
	SERVICE_MUTE,	    /* no reply to EHLO */
	SERVICE_CUTS_OFF,   /* the connection ends without a reply to EHLO */
	SERVICE_HANGS,	    /* the reply to EHLO stops before its end */
	SERVICE_TARPIT,	    /* the reply to EHLO comes byte by byte, endless */
	SERVICE_MAIL,
	SERVICES
};

struct answer {
	enum service service;
	int greeting_msec; /* from the first SYN to the end of the greeting */
	int reply_msec;	   /* from EHLO to the first byte of the reply */
	/* The host's name in the greeting; "" if the greeting has none. */
	char name[NAME_LEN_MAX + 1];
};

struct address {
	struct in6_addr addr; /* an IPv4 address is IPv4-mapped */
	int is_own;	      /* the address belongs to this machine */
	struct answer answer;
	enum dns_status name_status; /* of the name in a tarpit's greeting */
};

struct host {
	unsigned preference;
	char name[DNS_NAME_SIZE];
	enum dns_status status; /* DNS_FOUND: no lookup failed */
	int is_alias;
	int is_cut; /* the host has more addresses than fit here */
	int is_tarpit;
	size_t count;
	struct address addresses[ADDRESSES_MAX];
};

struct domain {
	char name[NAME_LEN_MAX + 1];
	enum dns_status status; /* of the lookup of MX records */
	int is_implicit; /* no MX record: the host is the domain itself */
	int is_cut;	 /* the domain has more MX records than fit here */
	int has_null_mx; /* RFC 7505; a null MX is not among the hosts */
	/* A tarpit was found on 127.0.0.1 or ::1 of this machine. */
	int is_on_loopback;
	const char *tarpit; /* the host named with -t, or NULL */
	size_t count;
	struct host hosts[HOSTS_MAX]; /* by preference, then by name */
};

#endif
