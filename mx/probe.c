/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Finding out what answers on port 25.
 */

#include <sys/socket.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define SMTP_PORT    25
#define OPEN_MAX     200 /* descriptors at a time: less than any limit */
#define QUIT_SECONDS 1	 /* for the reply to QUIT, to cut nobody off */
#define LINE_SIZE    512 /* RFC 5321, 4.5.3.1.5; a longer line is cut */
#define BYTES_MAX    65536
#define BY_BYTES     8 /* bytes in a piece of a tarpit's reply, on average */

#define MSEC_PER_SEC INT64_C(1000)

enum state { WAITING, CONNECTING, GREETING, REPLY, QUITTING, DONE };

struct connection {
	struct target *target;
	enum state state;
	int fd;
	int64_t since; /* when the state began, in ms of CLOCK_MONOTONIC */
	int64_t until; /* when the state has lasted too long */
	size_t pieces; /* received in this state */
	size_t bytes;  /* in those pieces */
	char line[LINE_SIZE]; /* the line that is being received */
	size_t len;
};

union socket_address {
	struct sockaddr sa;
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;
};

static int64_t now_msec(void);
static size_t start_waiting(struct connection *, size_t);
static int is_turn(
    const struct connection *, const struct connection *, size_t);
static void start(struct connection *);
static void wait_for_events(struct connection *, size_t);
static void handle(struct connection *, short);
static void finish_connect(struct connection *);
static void receive(struct connection *);
static void take_byte(struct connection *, char);
static void take_line(struct connection *);
static void take_greeting(struct connection *);
static void take_name(const char *, char *);
static void say_ehlo(struct connection *);
static void own_address(int, struct in6_addr *);
static void say_quit(struct connection *);
static void hear_end(struct connection *);
static void time_out(struct connection *);
static void enter(struct connection *, enum state, int);
static void end(struct connection *, enum service);
static enum service service_of_error(int);
static socklen_t make_address(
    const struct in6_addr *, in_port_t, union socket_address *);

void
probe(struct target *targets, size_t count)
{
	struct connection *connections;
	size_t i;

	if ((connections = calloc(count + 1, sizeof(*connections))) == NULL)
		err(EXIT_UNKNOWN, "%zu addresses", count);
	for (i = 0; i < count; i++)
		connections[i].target = &targets[i];
	while (start_waiting(connections, count) > 0)
		wait_for_events(connections, count);
	free(connections);
}

int
probe_is_own(const struct in6_addr *addr)
{
	union socket_address own;
	socklen_t len = make_address(addr, 0, &own);
	int fd, status;

	fd = socket(own.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return 0;
	status = bind(fd, &own.sa, len);
	close(fd);
	return status == 0;
}

static int64_t
now_msec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * MSEC_PER_SEC + ts.tv_nsec / 1000000;
}

/* Start the connections whose turn it is; returns how many are open. */
static size_t
start_waiting(struct connection *connections, size_t count)
{
	size_t i, open = 0;

	for (i = 0; i < count; i++) {
		if (connections[i].state != WAITING &&
		    connections[i].state != DONE)
			open++;
	}
	for (i = 0; i < count && open < OPEN_MAX; i++) {
		if (!is_turn(&connections[i], connections, count))
			continue;
		start(&connections[i]);
		if (connections[i].state != DONE)
			open++;
	}
	return open;
}

static int
is_turn(const struct connection *c, const struct connection *connections,
    size_t count)
{
	size_t i;

	if (c->state != WAITING || c->target->is_first)
		return c->state == WAITING;
	for (i = 0; i < count; i++) {
		if (connections[i].target->is_first &&
		    connections[i].state <= CONNECTING)
			return 0;
	}
	return 1;
}

static void
start(struct connection *c)
{
	union socket_address peer;
	socklen_t len = make_address(&c->target->addr, SMTP_PORT, &peer);

	c->fd = socket(
	    peer.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1) {
		c->state = DONE;
		c->target->answer.service = service_of_error(errno);
		return;
	}
	enter(c, CONNECTING, CONNECT_SECONDS);
	if (connect(c->fd, &peer.sa, len) == -1 && errno != EINPROGRESS)
		end(c, service_of_error(errno));
}

static void
wait_for_events(struct connection *connections, size_t count)
{
	struct pollfd fds[OPEN_MAX];
	struct connection *open[OPEN_MAX];
	int64_t now = now_msec(), until = INT64_MAX;
	nfds_t i, n = 0;

	for (i = 0; i < count; i++) {
		struct connection *c = &connections[i];

		if (c->state == WAITING || c->state == DONE)
			continue;
		open[n] = c;
		fds[n].fd = c->fd;
		fds[n].events = c->state == CONNECTING ? POLLOUT : POLLIN;
		fds[n++].revents = 0;
		if (c->until < until)
			until = c->until;
	}
	if (poll(fds, n, until > now ? (int)(until - now) : 0) == -1 &&
	    errno != EINTR)
		err(EXIT_UNKNOWN, "poll");
	for (i = 0; i < n; i++)
		handle(open[i], fds[i].revents);
}

static void
handle(struct connection *c, short events)
{
	if (events != 0) {
		if (c->state == CONNECTING)
			finish_connect(c);
		else
			receive(c);
	} else if (now_msec() >= c->until) {
		time_out(c);
	}
}

static void
finish_connect(struct connection *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		end(c, service_of_error(error));
		return;
	}
	/* The time of the greeting is counted from the first SYN. */
	c->state = GREETING;
	c->until = now_msec() + GREETING_SECONDS * MSEC_PER_SEC;
}

static void
receive(struct connection *c)
{
	char piece[LINE_SIZE];
	ssize_t i, got;

	got = recv(c->fd, piece, sizeof(piece), 0);
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		hear_end(c);
		return;
	}
	if (c->state == REPLY && c->bytes == 0) {
		c->target->answer.reply_msec = (int)(now_msec() - c->since);
		c->until = now_msec() + HANG_SECONDS * MSEC_PER_SEC;
	}
	c->pieces++;
	c->bytes += (size_t)got;
	for (i = 0; i < got && c->state != DONE; i++)
		take_byte(c, piece[i]);
	if (c->state != DONE && c->bytes > BYTES_MAX)
		end(c, SERVICE_NOT_SMTP);
}

static void
take_byte(struct connection *c, char byte)
{
	if (byte == '\n') {
		c->line[c->len] = '\0';
		take_line(c);
		c->len = 0;
	} else if (c->len < sizeof(c->line) - 1) {
		c->line[c->len++] = byte;
	}
}

/* "220 name ..." is the last line of a reply, "220-name ..." any other. */
static void
take_line(struct connection *c)
{
	const char *digits = "0123456789";

	if (c->state == QUITTING) {
		end(c, SERVICE_MAIL);
		return;
	}
	if (strspn(c->line, digits) != 3 ||
	    strchr(" -\r", c->line[3]) == NULL) {
		end(c, SERVICE_NOT_SMTP);
		return;
	}
	if (c->state == GREETING)
		take_greeting(c);
	else if (c->line[3] != '-') {
		c->target->answer.service = SERVICE_MAIL;
		say_quit(c);
	}
}

static void
take_greeting(struct connection *c)
{
	struct answer *answer = &c->target->answer;

	if (answer->name[0] == '\0')
		take_name(c->line, answer->name);
	if (c->line[3] == '-')
		return;
	answer->greeting_msec = (int)(now_msec() - c->since);
	if (strncmp(c->line, "220", 3) == 0) {
		say_ehlo(c);
	} else {
		answer->service = SERVICE_TURNS_AWAY;
		say_quit(c);
	}
}

/* Take the word after the code, if it is a name that can be printed. */
static void
take_name(const char *line, char *name)
{
	char word[NAME_LEN_MAX + 1];
	size_t len;

	if (line[3] == '\0' || line[3] == '\r')
		return;
	len = strcspn(line + 4, " \r");
	if (len > NAME_LEN_MAX)
		return;
	memcpy(word, line + 4, len);
	word[len] = '\0';
	if (name_is_valid(word) || name_is_literal(word))
		memcpy(name, word, len + 1);
}

/* EHLO is said with this machine's address: it may have no name (RFC 5321). */
static void
say_ehlo(struct connection *c)
{
	char command[sizeof("EHLO [IPv6:]\r\n") + INET6_ADDRSTRLEN];
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr = IN6ADDR_LOOPBACK_INIT;
	int len;

	own_address(c->fd, &addr);
	len = snprintf(command, sizeof(command), "EHLO [%s%s]\r\n",
	    IN6_IS_ADDR_V4MAPPED(&addr) ? "" : "IPv6:",
	    name_address(&addr, text));
	enter(c, REPLY, REPLY_SECONDS);
	if (send(c->fd, command, (size_t)len, MSG_NOSIGNAL) == -1)
		end(c, SERVICE_CUTS_OFF);
}

static void
own_address(int fd, struct in6_addr *addr)
{
	union socket_address own = { 0 };
	socklen_t size = sizeof(own);

	if (getsockname(fd, &own.sa, &size) == -1)
		return;
	if (own.sa.sa_family == AF_INET6) {
		*addr = own.sin6.sin6_addr;
		return;
	}
	name_map_ipv4(&own.sin.sin_addr, addr);
}

/* Say QUIT; the service is known by now, so that a failure does not matter. */
static void
say_quit(struct connection *c)
{
	static const char quit[] = "QUIT\r\n";

	enter(c, QUITTING, QUIT_SECONDS);
	if (send(c->fd, quit, sizeof(quit) - 1, MSG_NOSIGNAL) == -1)
		end(c, SERVICE_CLOSES);
}

/* The server has closed the connection, or reset it. */
static void
hear_end(struct connection *c)
{
	end(c, c->state == GREETING ? SERVICE_CLOSES : SERVICE_CUTS_OFF);
}

static void
time_out(struct connection *c)
{
	switch (c->state) {
	case CONNECTING:
		end(c, SERVICE_NO_REPLY);
		break;
	case GREETING:
		end(c, SERVICE_SILENT);
		break;
	default:
		if (c->pieces == 0)
			end(c, SERVICE_MUTE);
		else if (c->bytes > BY_BYTES * c->pieces)
			end(c, SERVICE_HANGS);
		else
			end(c, SERVICE_TARPIT);
	}
}

static void
enter(struct connection *c, enum state state, int seconds)
{
	c->state = state;
	c->since = now_msec();
	c->until = c->since + seconds * MSEC_PER_SEC;
	c->pieces = 0;
	c->bytes = 0;
}

/* End a connection; what was found out before QUIT stands. */
static void
end(struct connection *c, enum service service)
{
	if (c->state != QUITTING)
		c->target->answer.service = service;
	c->state = DONE;
	close(c->fd);
}

static enum service
service_of_error(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return SERVICE_REFUSES;
	case ECONNRESET: /* after the connection was made */
		return SERVICE_CLOSES;
	case ETIMEDOUT:
		return SERVICE_NO_REPLY;
	case EHOSTUNREACH:
		return SERVICE_UNREACHABLE;
	case ENETUNREACH:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return SERVICE_NO_ROUTE;
	default:
		return SERVICE_NOT_ASKED;
	}
}

static socklen_t
make_address(
    const struct in6_addr *addr, in_port_t port, union socket_address *peer)
{
	memset(peer, 0, sizeof(*peer));
	if (!IN6_IS_ADDR_V4MAPPED(addr)) {
		peer->sin6.sin6_family = AF_INET6;
		peer->sin6.sin6_port = htons(port);
		peer->sin6.sin6_addr = *addr;
		return sizeof(peer->sin6);
	}
	peer->sin.sin_family = AF_INET;
	peer->sin.sin_port = htons(port);
	memcpy(&peer->sin.sin_addr, &addr->s6_addr[12],
	    sizeof(peer->sin.sin_addr));
	return sizeof(peer->sin);
}
