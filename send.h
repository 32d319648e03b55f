/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEND_H
#define SEND_H

#include <sys/types.h>

#include <unistd.h>

/* The descriptors of the client's connection and of the file that is sent. */
#define SEND_CLIENT STDIN_FILENO
#define SEND_FILE   STDOUT_FILENO

/* The code of a reply line, "250-", is the longest piece in the file. */
#define SEND_CODE_LEN 4

/*
 * Open the file that send_bytes() sends from, in the place of standard output,
 * and make the client's socket non-blocking.  Call it before seal(), with
 * SEND_CLIENT open.  Where the file cannot be opened, as in some sandboxes,
 * send_bytes() does without.
 */
void send_open(void);

/*
 * Send to the client, without waiting.  After seal(), len must be 1 or
 * SEND_CODE_LEN.  Returns how many bytes were sent, or -1 with the errno of
 * send(2); EAGAIN means that the client has closed its window.
 */
ssize_t send_bytes(const char *buf, size_t len);

#endif
