/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Giving up reads, so that "we never see the mail" is the kernel's promise and
 * not only ours.
 */

#include "seal.h"

/*
 * A system call's number means something only together with the architecture
 * that it is made under, so the filter must know the one it was written for.
 */
#if defined(__linux__) && !defined(NO_SEAL)
#include <linux/audit.h>
#if defined(__x86_64__)
#define SEAL_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SEAL_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define SEAL_ARCH AUDIT_ARCH_RISCV64
#endif
#endif

#ifdef SEAL_ARCH

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <netinet/tcp.h>

#include <stddef.h>
#include <unistd.h>

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_UNLESS(value, n) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define ALLOW(number)  SKIP_UNLESS(number, 1), RETURN(SECCOMP_RET_ALLOW)

/*
 * Allow a call only if its argument i, from 0, is the value.  The filter sees
 * an argument as two words; all of these fit the low one, and all machines
 * named above keep that one first.
 */
#define ALLOW_IF(number, i, value) \
	SKIP_UNLESS(number, 4), LOAD(args[i]), SKIP_UNLESS(value, 1), \
	    RETURN(SECCOMP_RET_ALLOW), LOAD(nr)

/*
 * Linux tries a new filter with the number of every system call there is, to
 * remember those that it always allows.  That takes longer than all else here,
 * and saves nothing that can be measured; but it gives up at once where a
 * filter asks for an argument, as this one therefore does first.
 */
static const struct sock_filter filter[] = {
	LOAD(args[0]),
	LOAD(arch),
	SKIP_UNLESS(SEAL_ARCH, 1),
	LOAD(nr), /* else no number below is an architecture's */

	/* Wait for the next byte's time, and send it. */
	ALLOW(__NR_ppoll),
	ALLOW(__NR_sendto),
	/* The clock: see now_usec() of tarpit.c. */
	ALLOW(__NR_clock_gettime),
	ALLOW(__NR_rt_sigreturn),
	/*
	 * Ask when the client was last heard of, and hang up.  No other
	 * option: TCP_ZEROCOPY_RECEIVE is one that reads.
	 */
	ALLOW_IF(__NR_getsockopt, 2, SO_ERROR),
	ALLOW_IF(__NR_getsockopt, 2, TCP_INFO),
	ALLOW(__NR_shutdown),
	/*
	 * One line to syslog or to standard error, and exit.  Not connect(2):
	 * it would turn the client's connection into one to somewhere else.
	 */
	ALLOW_IF(__NR_socket, 0, AF_UNIX),
	ALLOW(__NR_close),
	ALLOW_IF(__NR_write, 0, STDERR_FILENO),
	ALLOW(__NR_exit_group),

	RETURN(SECCOMP_RET_KILL_PROCESS),
};

void
seal(void)
{
	/* The kernel only reads the filter, whatever its header says. */
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = (struct sock_filter *)filter,
	};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/*
	 * An outer filter may end us for seccomp(2), which is in no group of
	 * systemd.exec(5); it allows prctl(2) if we are still here.  Without
	 * one it has to be seccomp(2): valgrind(1), which could not live under
	 * our filter, answers that it does not know it.
	 */
	if (prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER)
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	else
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

#else

void
seal(void)
{
}

#endif
