/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Give hear_command() what a client sends.  As tarpit(8) promises, it must read
 * the command and leave the rest, and it must never wait for more than comes.
 * The first byte of the input says in which parts the client sends and how the
 * client ends; the rest is sent.
 *
 * Linked with -Wl,--wrap=ppoll.
 */

#define main tarpit_main
#include "../../tarpit.c"
#undef main

#include "fuzz.h"

#define SENT_MAX 2048

/* What happens after the client has sent everything. */
enum ending { FINISHES, RESETS, SIGNALLED, CAP_REACHED };

static struct {
	int fd; /* the client's end of the connection */
	const uint8_t *data;
	size_t left;
	size_t part; /* how much to send at a time */
	enum ending ending;
	int ended;
} sender;

static void connect_client(void);
static void check_heard(const struct connection *, int, size_t, size_t);
static int expected_error(void);
static size_t promised(const uint8_t *, size_t, int *);
static int is_command(const uint8_t *, size_t);
static size_t unread(void);
static void send_part(void);
static int end_client(void);

int __real_ppoll(
    struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
int __wrap_ppoll(
    struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct connection c = { 0 };
	size_t heard;
	int whole, result;

	if (size == 0 || size > SENT_MAX)
		return 0;
	sender.part = data[0] % 64 == 0 ? SENT_MAX : data[0] % 64;
	sender.ending = (enum ending)(data[0] / 64);
	sender.data = data + 1;
	sender.left = size - 1;
	sender.ended = 0;
	connect_client();

	heard = promised(sender.data, sender.left, &whole);
	c.until = now_usec(CLOCK_MONOTONIC) + 60 * INT64_C(1000000);
	result = hear_command(&c);
	CHECK(result == (whole ? 0 : -1));
	check_heard(&c, whole, heard, size - 1 - sender.left);

	if (sender.fd != -1)
		close(sender.fd);
	close(CLIENT);
	return 0;
}

/* A byte is on its way to the client, so that its close is a reset. */
static void
connect_client(void)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	if (fds[0] != CLIENT) {
		CHECK(dup2(fds[0], CLIENT) == CLIENT);
		close(fds[0]);
	}
	sender.fd = fds[1];
	CHECK(send(CLIENT, "2", 1, 0) == 1);
}

static void
check_heard(const struct connection *c, int whole, size_t heard, size_t sent)
{
	CHECK(heard <= COMMAND_LEN_MAX);
	if (whole) {
		CHECK(!sender.ended && c->error == 0);
		CHECK(sent - unread() == heard);
		return;
	}
	CHECK(sender.ended && sent == heard);
	CHECK(c->error == expected_error());
	if (sender.ending != RESETS)
		CHECK(unread() == 0);
}

static int
expected_error(void)
{
	switch (sender.ending) {
	case RESETS:
		return ECONNRESET;
	case SIGNALLED:
		return EINTR;
	default:
		return 0;
	}
}

/*
 * How much may be read: HELO, EHLO or LHLO to the end of the line, but at most
 * 512 bytes; any other command until it is clear that it is none of the three.
 */
static size_t
promised(const uint8_t *data, size_t size, int *whole)
{
	size_t n;

	*whole = 1;
	for (n = 1; n <= size; n++) {
		if (!is_command(data, n)) {
			CHECK(n <= 5);
			return n;
		}
		if (data[n - 1] == '\n' || n == 512)
			return n;
	}
	*whole = 0;
	return size;
}

/* Whether the first size bytes may be, or are, one of the three commands. */
static int
is_command(const uint8_t *data, size_t size)
{
	static const char *const verbs[] = { "helo", "EHLO", "Lhlo" };
	size_t verb = size < 4 ? size : 4, i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strncasecmp((const char *)data, verbs[i], verb) == 0)
			return size < 5 ||
			    (data[4] != '\0' &&
				strchr(" \t\r\n", data[4]) != NULL);
	}
	return 0;
}

static size_t
unread(void)
{
	char buf[SENT_MAX];
	size_t size = 0;
	ssize_t n;

	while ((n = recv(CLIENT, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		size += (size_t)n;
	return size;
}

/* Time passes only here: the client sends when tarpit waits. */
int
__wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
    const sigset_t *signals)
{
	static const struct timespec at_once;
	int ready;

	CHECK(count == 1 && fds[0].fd == CLIENT && fds[0].events == POLLIN);
	CHECK(timeout->tv_sec >= 0 && timeout->tv_sec <= 60);
	CHECK(!sender.ended);
	if (sender.left > 0)
		send_part();
	else if (end_client() == -1)
		return sender.ending == SIGNALLED ? -1 : 0;
	ready = __real_ppoll(fds, count, &at_once, signals);
	CHECK(ready == 1);
	return ready;
}

static void
send_part(void)
{
	size_t size = sender.left < sender.part ? sender.left : sender.part;

	CHECK(
	    send(sender.fd, sender.data, size, MSG_DONTWAIT) == (ssize_t)size);
	sender.data += size;
	sender.left -= size;
}

/* End the hold; returns -1 if not the client, but a signal or the cap does. */
static int
end_client(void)
{
	sender.ended = 1;
	switch (sender.ending) {
	case FINISHES:
		shutdown(sender.fd, SHUT_WR);
		return 0;
	case RESETS:
		close(sender.fd);
		sender.fd = -1;
		return 0;
	case SIGNALLED:
		errno = EINTR;
		return -1;
	default:
		return -1;
	}
}
