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
#include <netinet/tcp.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../seal.h"

void __real_seal(void);
void __wrap_seal(void);

#define TRY(this, call) \
	do { \
		if (strcmp(name, this) == 0) \
			(void)!(call); \
	} while (0)

static void
attempt(const char *name)
{
	char octet;
	struct iovec iov = { &octet, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct mmsghdr mmsg = { .msg_hdr = msg };

	TRY("read", read(0, &octet, 1));
	TRY("readv", readv(0, &iov, 1));
	TRY("pread", pread(0, &octet, 1, 0));
	TRY("preadv2", syscall(SYS_preadv2, 0, &iov, 1, -1L, -1L, 0));
	TRY("recv", recv(0, &octet, 1, 0));
	TRY("recvmsg", recvmsg(0, &msg, 0));
	TRY("zerocopy",
	    getsockopt(0, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &octet,
		&(socklen_t){ 1 }));
	TRY("connect",
	    connect(0, &(struct sockaddr){ .sa_family = AF_UNSPEC },
		sizeof(struct sockaddr)));
	TRY("recvmmsg", recvmmsg(0, &mmsg, 1, 0, NULL));
	TRY("splice", splice(0, NULL, 1, NULL, 1, 0));
	TRY("sendfile", sendfile(2, 0, NULL, 1));
	TRY("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
	TRY("open", open("/etc/passwd", O_RDONLY));
	TRY("execve", execl("/bin/true", "true", NULL));
	TRY("fork", fork());
	TRY("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	TRY("kill", kill(getppid(), 0));
	TRY("mprotect", mprotect(NULL, 1, PROT_EXEC));
	TRY("dup", dup(0));
	TRY("accept", accept(0, NULL, NULL));
	TRY("bind", bind(0, NULL, 0));
	TRY("inet", socket(AF_INET, SOCK_STREAM, 0));
	TRY("write", write(1, "x", 1));
	TRY("seccomp", syscall(SYS_seccomp, 0, 0, NULL));
	/* And "nothing", to show that the program would be there to tell. */
}

void
__wrap_seal(void)
{
	const char *name = getenv("ATTEMPT");

	if (name == NULL)
		_exit(2);
	__real_seal();
	attempt(name);
	_exit(1);
}
