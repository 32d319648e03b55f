/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sending without a copy.  send(2) copies into a buffer of 32 KB that Linux
 * gives to each process that sends over TCP, and takes back when it exits: a
 * quarter of what a hold would cost.  sendfile(2) makes the packet refer to a
 * page of a file that is in memory anyway.  That file is this program, and the
 * page is the one that holds all that a reply is made of.
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

/* The code of a reply line, and each byte of any host name and of the filler.
 */
static const char pieces[] __attribute__((
    __aligned__(128))) = "250-\r\n .:[]0123456789"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* The linker's name for where in memory the program's file begins. */
extern const char __ehdr_start[];

static off_t pieces_at = -1; /* in the file; -1 if that cannot be used */

static ssize_t send_piece(off_t, size_t);
static ssize_t send_through_pipe(const char *, size_t);

void
send_open(void)
{
	char found[sizeof(pieces)];
	const off_t at = (off_t)((uintptr_t)pieces - (uintptr_t)__ehdr_start);

	/* The lowest number that is free, since SEND_CLIENT is below it. */
	close(SEND_FILE);
	/* By the name that it was started by: /proc/self/exe takes longer. */
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): as getauxval(3) has it */
	if (open((const char *)getauxval(AT_EXECFN), O_RDONLY) != SEND_FILE)
		return;
	/* sendfile(2) has no flag for it. */
	if (fcntl(SEND_CLIENT, F_SETFL, O_NONBLOCK) == -1)
		return;
	/*
	 * A linker may put the parts of a file elsewhere in memory, and another
	 * program may have come in the place of this one.
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
	 * Either the connection is over, and send(2) fails as well, but no
	 * longer with the reason, or it is the file that cannot be sent.
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

/* A pipe keeps what is written to it in pages of its own, which it gives away.
 */
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
