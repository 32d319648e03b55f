/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A tarpit that breaks its word: linked with the real objects and with
 * -Wl,--wrap=seal, it seals itself and then tries what ATTEMPT names.  It
 * exits with status 1 if it is still there afterwards.
 */

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <netinet/in.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../seal.h"

int	__real_seal(void);
int	__wrap_seal(void);

static char		octet;
static struct iovec	iov = { &octet, 1 };
static struct msghdr	msg = { .msg_iov = &iov, .msg_iovlen = 1 };
static struct mmsghdr	mmsg = { .msg_hdr = {
	.msg_iov = &iov, .msg_iovlen = 1
} };

static void	try_read(void)		{ (void)!read(0, &octet, 1); }
static void	try_readv(void)		{ (void)!readv(0, &iov, 1); }
static void	try_pread(void)		{ (void)!pread(0, &octet, 1, 0); }
static void	try_preadv2(void)	{ (void)!preadv2(0, &iov, 1, -1, 0); }
static void	try_recv(void)		{ (void)!recv(0, &octet, 1, 0); }
static void	try_recvmsg(void)	{ (void)!recvmsg(0, &msg, 0); }
static void	try_recvmmsg(void)	{ recvmmsg(0, &mmsg, 1, 0, NULL); }
static void	try_splice(void)	{ (void)!splice(0, 0, 1, 0, 1, 0); }
static void	try_sendfile(void)	{ (void)!sendfile(2, 0, NULL, 1); }
static void	try_uring(void)		{ syscall(SYS_io_uring_setup, 1, 0); }
static void	try_open(void)		{ (void)!open("/etc/passwd", O_RDONLY); }
static void	try_execve(void)	{ execl("/bin/true", "true", NULL); }
static void	try_fork(void)		{ if (fork() == 0) _exit(0); }
static void	try_ptrace(void)	{ ptrace(PTRACE_TRACEME, 0, 0, 0); }
static void	try_kill(void)		{ kill(getppid(), 0); }
static void	try_mprotect(void)	{ mprotect(0, 1, PROT_EXEC); }
static void	try_dup(void)		{ (void)!dup(0); }
static void	try_accept(void)	{ accept(0, NULL, NULL); }
static void	try_bind(void)		{ bind(0, NULL, 0); }
static void	try_inet(void)		{ socket(AF_INET, SOCK_STREAM, 0); }
static void	try_write(void)		{ (void)!write(1, "x", 1); }
static void	try_unseal(void)	{ syscall(SYS_seccomp, 0, 0, NULL); }

/* Not refused: it shows that the program itself would say so. */
static void	try_nothing(void)	{ }

static const struct {
	const char	*name;
	void		(*try)(void);
} attempts[] = {
	{ "read", try_read }, { "readv", try_readv }, { "pread", try_pread },
	{ "preadv2", try_preadv2 }, { "recv", try_recv },
	{ "recvmsg", try_recvmsg }, { "recvmmsg", try_recvmmsg },
	{ "splice", try_splice }, { "sendfile", try_sendfile },
	{ "io_uring", try_uring }, { "open", try_open },
	{ "execve", try_execve }, { "fork", try_fork },
	{ "ptrace", try_ptrace }, { "kill", try_kill },
	{ "mprotect", try_mprotect }, { "dup", try_dup },
	{ "accept", try_accept }, { "bind", try_bind }, { "inet", try_inet },
	{ "write", try_write }, { "seccomp", try_unseal },
	{ "nothing", try_nothing },
};

int
__wrap_seal(void)
{
	const char	*name = getenv("ATTEMPT");
	size_t		 i;

	if (__real_seal() == -1)
		_exit(2);
	for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		if (name != NULL && strcmp(name, attempts[i].name) == 0) {
			attempts[i].try();
			_exit(1);
		}
	}
	_exit(3);
}
