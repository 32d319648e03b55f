/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tarpit: hold one SMTP client for as long as its patience lasts.
 *
 * A super-server starts one process for each connection, which is standard
 * input.  The process greets, hears HELO or EHLO, gives up reading, and sends
 * a reply that never ends.  Read from main() down.
 */

#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "cap.h"
#include "hold.h"
#include "log.h"
#include "seal.h"
#include "send.h"
#include "version.h"

#define USAGE "usage: tarpit [-dV] [-i milliseconds] [-n name] [-t seconds]"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

#define MESSAGE_MAX 320
#define VERB_LEN    4

#define INTERVAL_MIN	 10 /* ms */
#define INTERVAL_MAX	 60000
#define INTERVAL_DEFAULT 4000

#define CLIENT SEND_CLIENT

/*
 * Lengths of a domain (RFC 5321, 4.5.3.1.2), of a label in it (RFC 1035, 2.3.4)
 * and of a command line (RFC 5321, 4.5.3.1.4).
 */
#define NAME_LEN_MAX	255
#define LABEL_LEN_MAX	63
#define COMMAND_LEN_MAX 512

/*
 * A reply line with its CRLF: shorter than 512, the smallest line buffer seen
 * in a client and the limit of RFC 5321, 4.5.3.1.5.
 */
#define REPLY_LEN_MIN 480
#define REPLY_LEN_MAX 500
#define WORD_LEN_MIN  2
#define WORD_LEN_MAX  9

/* A client that acknowledges nothing for this long has vanished. */
#define VANISHED_MSEC 45000

/* How much of the client's data the kernel buffers; Linux doubles the value. */
#define RECEIVE_BUFFER 4096

#define EXIT_USAGE 64 /* EX_USAGE of sysexits(3) */

/*
 * The user that root becomes: nobody, who owns nothing.  A build for tools that
 * have to write files of their own can name another user.
 */
#ifndef NOBODY
#define NOBODY 65534
#endif

#define USEC_PER_MSEC 1000
#define USEC_PER_SEC  1000000

struct options {
	int interval; /* ms */
	int cap;      /* s */
	const char *name;
};

/* The position in the endless reply. */
struct reply {
	char prefix[sizeof("250- ") + NAME_LEN_MAX];
	int prefix_len; /* 0 until the reply begins */
	int line_len;	/* of the current line, with CRLF */
	int word_end;	/* where the current word ends in the line */
	int at;		/* where the next byte belongs in the line */
};

struct connection {
	int64_t since; /* us, CLOCK_MONOTONIC */
	int64_t until; /* when the cap ends the hold, on the same clock */
	int error; /* errno of the last call that failed, EINTR for a signal */
	struct reply reply;
};

static sigset_t while_waiting; /* signals blocked in ppoll(2) */
static unsigned short random_state[3];

static void catch_signals(void);
static void catch_signal(int);
static void note_signal(int);
static int is_socket(int);
static void parse_options(int, char *[], struct options *);
static int parse_number(int, const char *, int, int);
static int is_host_name(const char *);
static int is_address_literal(const char *);
static _Noreturn void print_version(void);
static _Noreturn void fatal(const char *, ...)
    __attribute__((__format__(__printf__, 1, 2)));
static void close_others(void);
static void give_up_root(void);
static int client_address(int, struct in6_addr *);
static int peer_name(int, struct sockaddr *, socklen_t);
static void default_name(char *, size_t);
static void seed_random(void);
static int random_below(int);
static int64_t draw_cap(int);
static int64_t now_usec(clockid_t);
static void limit_socket(int);
static void set_option(int, int, int);
static void hold_client(struct connection *, const struct options *);
static int greet(struct connection *, const char *);
static int hear_command(struct connection *);
static const char *verb_by_first(char);
static int verb_goes_on(const char *, int, char);
static int is_letter(char, char);
static int read_byte(struct connection *, char *);
static void start_reply(struct reply *, const char *);
static void give_back_stack(void) __attribute__((__noinline__));
static void stall(struct connection *, int);
static int64_t draw_wait(int);
static void start_line(struct reply *);
static void start_word(struct reply *);
static int next_piece(const struct reply *, char *);
static char byte(const struct reply *);
static void advance(struct reply *, int);
static int send_to_client(struct connection *, const char *, int);
static int wait_until(struct connection *, short, int64_t);
static int socket_error(void);
static int64_t held_msec(const struct connection *);
static int64_t silence_usec(int);
static void hang_up(void);
static void log_hold(const struct hold *, int);

int
main(int argc, char *argv[])
{
	struct options options = { INTERVAL_DEFAULT, CAP_DEFAULT, NULL };
	struct connection c = { 0 };
	struct hold hold;
	char host[NAME_LEN_MAX + 1];

	c.since = now_usec(CLOCK_MONOTONIC);
	hold.connected = now_usec(CLOCK_REALTIME) / USEC_PER_MSEC;
	catch_signals();
	log_open(
	    !is_socket(CLIENT) && !is_socket(STDERR_FILENO), &while_waiting);
	parse_options(argc, argv, &options);
	close_others();
	send_open();
	give_up_root();
	if (client_address(CLIENT, &hold.addr) == -1)
		fatal("standard input is not a connected TCP socket");
	if (options.name == NULL) {
		default_name(host, sizeof(host));
		options.name = host;
	}

	seed_random();
	c.until = c.since + draw_cap(options.cap);
	limit_socket(options.interval);
	hold_client(&c, &options);
	hold.disconnected = hold.connected + held_msec(&c);
	hang_up();
	log_hold(&hold, c.error == EINTR ? LOG_HURRY_MSEC : LOG_PATIENCE_MSEC);
	return 0;
}

/* Signals wait until ppoll(2), so that none is missed between two waits. */
static void
catch_signals(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigprocmask(SIG_BLOCK, NULL, &while_waiting);
	catch_signal(SIGHUP);
	catch_signal(SIGINT);
	catch_signal(SIGTERM);
	/* A write that fails should return an error, not kill the process. */
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
}

static void
catch_signal(int signo)
{
	const struct sigaction sa = { .sa_handler = note_signal };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, signo);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigdelset(&while_waiting, signo);
	sigaction(signo, &sa, NULL);
}

/* The handler has nothing to do: ppoll(2) returns EINTR, and that is enough. */
static void
note_signal(int signo)
{
	(void)signo;
}

static int
is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void
parse_options(int argc, char *argv[], struct options *options)
{
	int ch;

	opterr = 0; /* getopt(3) would write to the client */
	while ((ch = getopt(argc, argv, "dVi:n:t:")) != -1) {
		switch (ch) {
		case 'd':
			/* Under inetd(8), stderr is the client's socket. */
			log_open(!is_socket(STDERR_FILENO), &while_waiting);
			break;
		case 'V':
			print_version();
		case 'i':
			options->interval = parse_number(
			    'i', optarg, INTERVAL_MIN, INTERVAL_MAX);
			break;
		case 'n':
			if (!is_host_name(optarg) &&
			    !is_address_literal(optarg))
				fatal(
				    "-n %.64s: not a host name or an [address]",
				    optarg);
			options->name = optarg;
			break;
		case 't':
			options->cap = parse_number(
			    't', optarg, CAP_MIN, CAP_MAX);
			break;
		default:
			fatal("-%c: unknown, or incomplete; " USAGE, optopt);
		}
	}
	if (optind < argc)
		fatal("%.64s: unexpected; " USAGE, argv[optind]);
}

static int
parse_number(int option, const char *s, int min, int max)
{
	const char *problem = NULL;
	char *end;
	long n;

	n = strtol(s, &end, 10); /* LONG_MAX for any larger number */
	if (end == s || *end != '\0')
		problem = "not a number";
	else if (n < min)
		problem = "too small";
	else if (n > max)
		problem = "too large";
	if (problem != NULL)
		fatal("-%c %.64s: %s (%d to %d)", option, s, problem, min, max);
	return (int)n;
}

/* A domain of RFC 5321, 4.1.2. */
static int
is_host_name(const char *s)
{
	if (strlen(s) > NAME_LEN_MAX)
		return 0;
	for (;;) {
		size_t label = strspn(s, LETTERS DIGITS "-");

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

/* [192.0.2.1] or [IPv6:2001:db8::1]: RFC 5321, 4.1.3. */
static int
is_address_literal(const char *s)
{
	static const char ipv6[] = "IPv6:";
	char buf[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	size_t len;
	int family = AF_INET;

	if (*s++ != '[')
		return 0;
	if (strncasecmp(s, ipv6, sizeof(ipv6) - 1) == 0) {
		family = AF_INET6;
		s += sizeof(ipv6) - 1;
	}
	len = strcspn(s, "]");
	if (strcmp(s + len, "]") != 0 || len >= sizeof(buf))
		return 0;
	memcpy(buf, s, len);
	buf[len] = '\0';
	return inet_pton(family, buf, &addr) == 1;
}

static void
print_version(void)
{
	struct in6_addr addr;

	/* Under inetd(8), standard output is the client's socket. */
	if (client_address(STDOUT_FILENO, &addr) == 0)
		log_send(LOG_NOTICE, "version " VERSION, LOG_HURRY_MSEC);
	else if (dprintf(STDOUT_FILENO, "tarpit %s\nseal: %s\n", VERSION,
		     seal_works() ? "works here" : "does not work here") == -1)
		exit(1);
	exit(0);
}

static void
fatal(const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	log_send(LOG_ERR, message, LOG_HURRY_MSEC);
	exit(EXIT_USAGE);
}

/*
 * Close whatever a super-server has left open by mistake, such as its listening
 * socket.  glibc has no SYS_close_range before version 2.32.
 */
static void
close_others(void)
{
	syscall(__NR_close_range, STDERR_FILENO + 1, ~0U, 0);
}

/* A super-server that starts tarpit as root has been set up wrong. */
static void
give_up_root(void)
{
	if (getuid() != 0 && geteuid() != 0)
		return;
	if (setgroups(0, NULL) == -1 ||
	    setresgid(NOBODY, NOBODY, NOBODY) == -1 ||
	    setresuid(NOBODY, NOBODY, NOBODY) == -1)
		fatal("started as root, which cannot become user %d: %s",
		    NOBODY, strerror(errno));
}

static int
client_address(int fd, struct in6_addr *addr)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in sin;
		struct sockaddr_in6 sin6;
	} peer;
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1 ||
	    type != SOCK_STREAM || peer_name(fd, &peer.sa, sizeof(peer)) == -1)
		return -1;
	switch (peer.sa.sa_family) {
	case AF_INET:
		hold_map_ipv4(&peer.sin.sin_addr, addr);
		return 0;
	case AF_INET6:
		*addr = peer.sin6.sin6_addr;
		return 0;
	default:
		return -1;
	}
}

/*
 * getpeername(2) fails for a client that has already reset the connection, but
 * its hold must be logged like any other.  SO_PEERNAME still works; it wants
 * the exact length of the address, which is that of our own.
 */
static int
peer_name(int fd, struct sockaddr *peer, socklen_t size)
{
	socklen_t len = size;

	if (getpeername(fd, peer, &len) == 0)
		return 0;
	len = size;
	if (getsockname(fd, peer, &len) == -1)
		return -1;
	return getsockopt(fd, SOL_SOCKET, SO_PEERNAME, peer, &len);
}

/* The buffer is large enough: Linux limits host names to 64 bytes. */
static void
default_name(char *buf, size_t size)
{
	if (gethostname(buf, size) == -1 || !is_host_name(buf))
		snprintf(buf, size, "localhost");
}

/* arc4random(3) would cost each hold pages, and filler need not be secret. */
static void
seed_random(void)
{
	int64_t now;

	if (getrandom(random_state, sizeof(random_state), GRND_NONBLOCK) !=
	    sizeof(random_state)) {
		now = now_usec(CLOCK_MONOTONIC) ^ getpid() * INT64_C(65537);
		memcpy(random_state, &now, sizeof(random_state));
	}
}

/* Draw from 0 to limit - 1; limit is far below the generator's 2^31. */
static int
random_below(int limit)
{
	return (int)(nrand48(random_state) % limit);
}

/*
 * Draw the cap of this hold, in us: from three quarters of -t up to all of it,
 * so that holds that began together do not end together.
 */
static int64_t
draw_cap(int seconds)
{
	int msec = seconds * 1000;

	return (msec - random_below(msec / 4 + 1)) * (int64_t)USEC_PER_MSEC;
}

/*
 * Enter the kernel for the time, where the system call has libc's timespec:
 * clock_gettime(3) would go through the vDSO, whose page tables are a tenth of
 * what a hold costs with musl.
 */
static int64_t
now_usec(clockid_t clock)
{
	struct timespec ts;

#ifdef __LP64__
	syscall(SYS_clock_gettime, clock, &ts);
#else
	clock_gettime(clock, &ts);
#endif
	return ts.tv_sec * (int64_t)USEC_PER_SEC + ts.tv_nsec / 1000;
}

/* Limit how long the client may be silent, and how much it may send unread. */
static void
limit_socket(int interval)
{
	int seconds = (interval + 999) / 1000;
	char ch;

	/*
	 * Leave the buffer alone if the client has already sent something: a
	 * buffer smaller than its content makes Linux drop acknowledgements.
	 */
	if (recv(CLIENT, &ch, 1, MSG_PEEK | MSG_DONTWAIT) == -1)
		set_option(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	/* Bytes at short intervals must not wait for a delayed ACK. */
	set_option(IPPROTO_TCP, TCP_NODELAY, 1);
	/*
	 * Until the reply begins, only keepalives can tell whether the client
	 * is still there.  They are sent as often as the reply's bytes will be.
	 */
	set_option(SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(IPPROTO_TCP, TCP_KEEPIDLE, seconds);
	set_option(IPPROTO_TCP, TCP_KEEPINTVL, seconds);
	set_option(IPPROTO_TCP, TCP_USER_TIMEOUT, VANISHED_MSEC);
}

/* A failure does not matter: the hold goes on without this option. */
static void
set_option(int level, int option, int value)
{
	setsockopt(CLIENT, level, option, &value, sizeof(value));
}

/* The whole hold, step by step; it may end at any of the steps. */
static void
hold_client(struct connection *c, const struct options *options)
{
	if (greet(c, options->name) == -1)
		return;
	if (hear_command(c) == -1)
		return;
	/* From here the reply's bytes tell whether the client is still there.
	 */
	set_option(SOL_SOCKET, SO_KEEPALIVE, 0);
	start_reply(&c->reply, options->name);
	give_back_stack();
	seal();
	stall(c, options->interval);
}

static int
greet(struct connection *c, const char *name)
{
	char greeting[sizeof("220  ESMTP\r\n") + NAME_LEN_MAX];
	int len;

	len = snprintf(greeting, sizeof(greeting), "220 %s ESMTP\r\n", name);
	return send_to_client(c, greeting, len) == -1 ? -1 : 0;
}

/*
 * Read HELO, EHLO or LHLO to the end of the line.  Of any other command, read
 * only up to the byte that tells it apart, so that no address and no password
 * ever enters this process.
 */
static int
hear_command(struct connection *c)
{
	const char *verb = NULL;
	char ch;
	int len;

	for (len = 0; len < COMMAND_LEN_MAX; len++) {
		if (read_byte(c, &ch) == -1)
			return -1;
		if (len == 0)
			verb = verb_by_first(ch);
		if (verb == NULL || !verb_goes_on(verb, len, ch) || ch == '\n')
			return 0;
	}
	return 0;
}

/* The first letter is enough: the three verbs begin differently. */
static const char *
verb_by_first(char ch)
{
	static const char *const verbs[] = { "HELO", "EHLO", "LHLO" };
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (is_letter(ch, verbs[i][0]))
			return verbs[i];
	}
	return NULL;
}

static int
verb_goes_on(const char *verb, int at, char ch)
{
	if (at < VERB_LEN)
		return is_letter(ch, verb[at]);
	if (at == VERB_LEN)
		return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
	return 1;
}

/* toupper(3) would depend on the locale. */
static int
is_letter(char ch, char upper)
{
	return ch == upper || ch == upper + ('a' - 'A');
}

static int
read_byte(struct connection *c, char *ch)
{
	for (;;) {
		switch (recv(CLIENT, ch, 1, MSG_DONTWAIT)) {
		case 1:
			return 0;
		case 0:
			return -1;
		default:
			if (errno != EAGAIN) {
				c->error = errno;
				return -1;
			}
			if (wait_until(c, POLLIN, c->until) == -1)
				return -1;
		}
	}
}

static void
start_reply(struct reply *reply, const char *name)
{
	reply->prefix_len = snprintf(
	    reply->prefix, sizeof(reply->prefix), "250-%s ", name);
	start_line(reply);
}

/*
 * Starting a static program uses a page or two of stack that the stall never
 * needs again; "make bench" shows what giving the pages back saves.  This
 * function must not be inlined: then nothing below its frame is in use but the
 * call of madvise(2), for which there is a margin.  Signals are blocked here.
 */
static void
give_back_stack(void)
{
	const size_t margin = 256, most = 65536;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *end = (char *)__builtin_frame_address(0) - margin;

	end -= (uintptr_t)end % page;
	madvise(end - most, most, MADV_DONTNEED);
}

static void
stall(struct connection *c, int interval)
{
	struct reply *reply = &c->reply;

	for (;;) {
		int64_t next = now_usec(CLOCK_MONOTONIC) + draw_wait(interval);
		char piece[SEND_CODE_LEN];
		int len = next_piece(reply, piece), sent;

		if (wait_until(c, 0, next) == -1)
			return;
		if ((sent = send_to_client(c, piece, len)) != -1)
			advance(reply, sent);
		else if (c->error != EAGAIN)
			return;
	}
}

/* Draw a wait, in us: the interval, plus or minus up to a fifth of it. */
static int64_t
draw_wait(int interval)
{
	int fifth = interval * (USEC_PER_MSEC / 5);

	return 4 * fifth + random_below(2 * fifth + 1);
}

static void
start_line(struct reply *reply)
{
	reply->line_len = REPLY_LEN_MIN +
	    random_below(REPLY_LEN_MAX - REPLY_LEN_MIN + 1);
	reply->at = 0;
	reply->word_end = reply->prefix_len - 1;
	start_word(reply);
}

/* Choose where the next space goes; the line itself must end in a letter. */
static void
start_word(struct reply *reply)
{
	reply->word_end += 1 + WORD_LEN_MIN +
	    random_below(WORD_LEN_MAX - WORD_LEN_MIN + 1);
	if (reply->word_end > reply->line_len - 4)
		reply->word_end = reply->line_len;
}

/*
 * Copy the next piece of the reply to buf, and return its length.  The text
 * goes out byte by byte, but the code at the start of a line in one piece: some
 * clients, Python's smtplib and sendmail among them, take "250" and the end of
 * the connection for a final reply, and the process may be killed between two
 * pieces.
 */
static int
next_piece(const struct reply *reply, char *buf)
{
	if (reply->at >= SEND_CODE_LEN) {
		buf[0] = byte(reply);
		return 1;
	}
	memcpy(buf, &reply->prefix[reply->at],
	    (size_t)(SEND_CODE_LEN - reply->at));
	return SEND_CODE_LEN - reply->at;
}

static char
byte(const struct reply *reply)
{
	if (reply->at < reply->prefix_len)
		return reply->prefix[reply->at];
	if (reply->at == reply->line_len - 2)
		return '\r';
	if (reply->at == reply->line_len - 1)
		return '\n';
	if (reply->at == reply->word_end)
		return ' ';
	return (char)('a' + random_below('z' - 'a' + 1));
}

static void
advance(struct reply *reply, int sent)
{
	if (reply->at == reply->word_end)
		start_word(reply);
	reply->at += sent;
	if (reply->at == reply->line_len)
		start_line(reply);
}

/* Send without waiting; returns how many bytes were sent, or -1. */
static int
send_to_client(struct connection *c, const char *buf, int len)
{
	ssize_t sent = send_bytes(buf, (size_t)len);

	if (sent == -1)
		c->error = errno;
	return (int)sent;
}

/*
 * Wait for an event or until the given time.  Returns -1 when the hold is
 * over: the client is gone, the cap is reached, or a signal has come.
 */
static int
wait_until(struct connection *c, short events, int64_t when)
{
	struct pollfd pfd = { .fd = CLIENT, .events = events };
	struct timespec ts;
	int64_t left;

	left = (when < c->until ? when : c->until) - now_usec(CLOCK_MONOTONIC);
	if (left < 0)
		left = 0;
	ts.tv_sec = (time_t)(left / USEC_PER_SEC);
	ts.tv_nsec = (long)(left % USEC_PER_SEC * 1000);

	switch (ppoll(&pfd, 1, &ts, &while_waiting)) {
	case -1:
		c->error = errno;
		return -1;
	case 0:
		return when < c->until ? 0 : -1;
	default:
		if ((pfd.revents & (POLLERR | POLLHUP)) == 0)
			return 0;
		c->error = socket_error();
		return -1;
	}
}

static int
socket_error(void)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(CLIENT, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

/* How long the client was there, without its silence at the end. */
static int64_t
held_msec(const struct connection *c)
{
	int64_t held = now_usec(CLOCK_MONOTONIC) - c->since -
	    silence_usec(c->error);

	return held > 0 ? held / USEC_PER_MSEC : 0;
}

/*
 * How long ago, in us, did the client last show that it was there?  A reset is
 * a sign of life, unless it answers a byte sent after the client's FIN.  In
 * that case the error is EPIPE, and the last sign of life was the FIN, or the
 * last acknowledgement by a half-closed client.  A client that has vanished
 * acknowledges nothing.  See TCP_INFO in tcp(7).
 */
static int64_t
silence_usec(int error)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	uint32_t msec;

	if (error == ECONNRESET ||
	    getsockopt(CLIENT, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return 0;
	/*
	 * A client with no acknowledgement overdue is there now.  So is a
	 * client that has kept its window closed for too long but still answers
	 * the kernel's probes.
	 */
	if ((info.tcpi_state == TCP_ESTABLISHED || error == ETIMEDOUT) &&
	    info.tcpi_retransmits == 0 && info.tcpi_probes == 0)
		return 0;
	msec = info.tcpi_last_ack_recv < info.tcpi_last_data_recv
	    ? info.tcpi_last_ack_recv
	    : info.tcpi_last_data_recv;
	return msec * INT64_C(1000);
}

/*
 * A FIN in the middle of a line sends a genuine server to the next MX.  A final
 * reply would make the server defer the mail or bounce it, and a RST in place
 * of the FIN makes dma(8) bounce it.  The socket is closed before exit, since
 * the log line may have to wait for a syslog daemon.
 */
static void
hang_up(void)
{
	shutdown(CLIENT, SHUT_WR);
	close(CLIENT);
}

/* Log the hold; a slow syslog daemon gets msec to take the line. */
static void
log_hold(const struct hold *hold, int msec)
{
	char line[HOLD_LINE_MAX];

	if (hold_format(hold, line, sizeof(line)) != -1)
		log_send(LOG_NOTICE, line, msec);
}
