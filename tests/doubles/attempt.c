/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A tarpit that breaks its word.  Linked with the real objects and with
 * -Wl,--wrap=seal, the program seals itself and then tries what ATTEMPT names.
 * It exits with status 1 if it survives the attempt.
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
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../log.h"
#include "../../seal.h"

int __real_seal(void);
int __wrap_seal(void);

#define TRY(this, call) \
	do { \
		if (strcmp(name, this) == 0) \
			(void)!(call); \
	} while (0)

/* Pointers of which one word is the same as in &log_address. */
static const struct sockaddr *
low_word(void)
{
	return (const struct sockaddr *)((uintptr_t)&log_address ^
	    (uintptr_t)1 << 40);
}

static const struct sockaddr *
high_word(void)
{
	return (const struct sockaddr *)((uintptr_t)&log_address ^ 1);
}

static void
attempt(const char *name)
{
	static const struct sockaddr elsewhere = { .sa_family = AF_UNIX };
	const socklen_t size = sizeof(elsewhere);
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct mmsghdr mmsg = { .msg_hdr = msg };

	TRY("read", read(0, &byte, 1));
	TRY("readv", readv(0, &iov, 1));
	TRY("pread", pread(0, &byte, 1, 0));
	TRY("preadv2", syscall(SYS_preadv2, 0, &iov, 1, -1L, -1L, 0));
	TRY("recv", recv(0, &byte, 1, 0));
	TRY("recvmsg", recvmsg(0, &msg, 0));
	TRY("zerocopy",
	    getsockopt(0, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &byte,
		&(socklen_t){ 1 }));
	TRY("connect",
	    connect(0, &(struct sockaddr){ .sa_family = AF_UNSPEC },
		sizeof(struct sockaddr)));
	TRY("recvmmsg", recvmmsg(0, &mmsg, 1, 0, NULL));
	TRY("splice", splice(0, NULL, 1, NULL, 1, 0));
	/* The seal allows a piece of the program's file, to the client. */
	TRY("sendfile to elsewhere", sendfile(2, 1, NULL, 1));
	TRY("sendfile of the client", sendfile(0, 0, NULL, 1));
	TRY("sendfile of another file", sendfile(0, 3, NULL, 1));
	TRY("sendfile of nothing", sendfile(0, 1, NULL, 0));
	TRY("sendfile of two bytes", sendfile(0, 1, NULL, 2));
	TRY("sendfile of a page", sendfile(0, 1, NULL, 4096));
	TRY("sendfile of 4 GB and a byte",
	    syscall(SYS_sendfile, 0, 1, NULL, (1L << 32) + 1));
	TRY("fastopen",
	    sendto(0, "x", 1, MSG_DONTWAIT | MSG_FASTOPEN, NULL, 0));
	TRY("blocking send", send(0, "x", 1, 0));
	TRY("sendto", sendto(0, "x", 1, MSG_DONTWAIT, &elsewhere, size));
	TRY("low word", sendto(0, "x", 1, MSG_DONTWAIT, low_word(), size));
	TRY("high word", sendto(0, "x", 1, MSG_DONTWAIT, high_word(), size));
	TRY("level",
	    getsockopt(0, SOL_SOCKET, TCP_INFO, &byte, &(socklen_t){ 1 }));
	TRY("SO_ERROR of TCP",
	    getsockopt(0, IPPROTO_TCP, SO_ERROR, &byte, &(socklen_t){ 1 }));
	TRY("getsockopt of IP",
	    getsockopt(0, IPPROTO_IP, TCP_INFO, &byte, &(socklen_t){ 1 }));
	TRY("shutdown of another", shutdown(3, SHUT_WR));
	TRY("stream", socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
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
	/* With "nothing", the program must survive to tell the tale. */
}

int
__wrap_seal(void)
{
	const char *name = getenv("ATTEMPT");

	if (name == NULL)
		_exit(2);
	__real_seal();
	attempt(name);
	_exit(1);
}
