/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sending without a copy.  send(2) copies into a buffer of 32 KB that Linux
 * gives to each process that sends over TCP, and takes back when it exits: a
 * quarter of what a hold would cost.  sendfile(2) makes the packet refer to a
 * page of a file that is in memory anyway.  The file is the program itself, and
 * the page has every byte that a reply is made of.
 */

#include <sys/auxv.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "send.h"

/* The code of a reply line, and every byte that a host name or filler uses. */
static const char pieces[] __attribute__((
    __aligned__(128))) = "250-\r\n .:[]0123456789"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* The linker's name for where in memory the program's file begins. */
extern const char __ehdr_start[];

static off_t pieces_at = -1; /* offset in the file; -1 if it is no use */

static ssize_t send_piece(off_t, size_t);
static ssize_t send_through_pipe(const char *, size_t);

void
send_open(void)
{
	char found[sizeof(pieces)];
	const off_t at = (off_t)((uintptr_t)pieces - (uintptr_t)__ehdr_start);

	/* open(2) returns SEND_FILE then, the lowest number that is free. */
	close(SEND_FILE);
	/* /proc/self/exe takes longer than the name the program started by. */
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): as getauxval(3) has it */
	if (open((const char *)getauxval(AT_EXECFN), O_RDONLY) != SEND_FILE)
		return;
	/* sendfile(2) has no flag such as MSG_DONTWAIT. */
	if (fcntl(SEND_CLIENT, F_SETFL, O_NONBLOCK) == -1)
		return;
	/*
	 * Check that the pieces are where they should be: memory may be laid
	 * out otherwise than the file, and by now another program may have
	 * replaced the file.
	 */
	if (pread(SEND_FILE, found, sizeof(found), at) == sizeof(found) &&
	    memcmp(found, pieces, sizeof(found)) == 0)
		pieces_at = at;
}

ssize_t
send_bytes(const char *buf, size_t len)
{
	const char *piece = memmem(pieces, sizeof(pieces) - 1, buf, len);
	ssize_t sent;
	int error;

	if (pieces_at == -1)
		return send(SEND_CLIENT, buf, len, MSG_DONTWAIT);
	if (piece != NULL)
		sent = send_piece(pieces_at + (piece - pieces), len);
	else
		sent = send_through_pipe(buf, len);
	if (sent != -1 || errno == EAGAIN)
		return sent;
	/*
	 * Either the connection is over, and send(2) will fail as well, but
	 * with EPIPE and not the reason; or the file cannot be sent.
	 */
	error = errno;
	sent = send(SEND_CLIENT, buf, len, MSG_DONTWAIT);
	if (sent == -1 && errno == EPIPE)
		errno = error;
	return sent;
}

static ssize_t
send_piece(off_t at, size_t len)
{
	return sendfile(SEND_CLIENT, SEND_FILE, &at, len);
}

/* A pipe keeps its data in pages of its own, which splice(2) passes on. */
static ssize_t
send_through_pipe(const char *buf, size_t len)
{
	int ends[2], error;
	ssize_t sent = -1;

	if (pipe2(ends, O_NONBLOCK) == -1)
		return -1;
	if (write(ends[1], buf, len) == (ssize_t)len)
		sent = splice(ends[0], NULL, SEND_CLIENT, NULL, len, 0);
	error = errno;
	close(ends[0]);
	close(ends[1]);
	errno = error;
	return sent;
}
