/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Giving up reads, so that "we never see the mail" is the kernel's promise and
 * not only ours.
 */

#include <sys/wait.h>

#include <unistd.h>

#include "seal.h"

/*
 * The same number is another system call on another architecture, so the filter
 * must know the architecture that it was written for.
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

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "send.h"

/*
 * The filter sees an argument as two words of 32 bits.  Every architecture that
 * has a SEAL_ARCH stores the low word first.
 */
#define HIGH		4
#define LOAD_AT(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define LOAD(field)	LOAD_AT(offsetof(struct seccomp_data, field))
#define LOAD_HIGH(i)	LOAD_AT(offsetof(struct seccomp_data, args[i]) + HIGH)
#define SKIP_UNLESS(value, n) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))
#define SKIP_IF(value, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (n), 0)
#define RETURN(action)	  BPF_STMT(BPF_RET | BPF_K, (action))

#define KILL  RETURN(SECCOMP_RET_KILL_PROCESS)
#define ALLOW RETURN(SECCOMP_RET_ALLOW)

/*
 * A rule covers one system call: RULE(number, n), then n instructions, the last
 * of which ends the filter.
 */
#define RULE(number, n)	   SKIP_UNLESS(number, n)
#define ALLOW_CALL(number) RULE(number, 1), ALLOW
/* Argument i, counted from 0, must have the value; three instructions. */
#define REQUIRE(i, value)      LOAD(args[i]), SKIP_IF(value, 1), KILL
#define REQUIRE_HIGH(i, value) LOAD_HIGH(i), SKIP_IF(value, 1), KILL

/* Where in the filter seal() puts the two words of &log_address. */
#define ADDRESS_LOW  15
#define ADDRESS_HIGH 18

/*
 * Linux runs a new filter for every system call number there is, to remember
 * which calls the filter always allows.  That takes longer than all the rest of
 * seal(), and saves nothing measurable.  Linux gives up at once on a filter
 * that loads an argument, which is all that the first instruction is for.
 */
static struct sock_filter filter[] = {
	LOAD(args[0]),
	LOAD(arch),
	SKIP_IF(SEAL_ARCH, 1),
	KILL, /* another architecture numbers its system calls differently */
	LOAD(nr),

	/*
	 * Send a line to syslog, at log_address; or a byte that sendfile(2)
	 * could not send to the client, without an address.  The flags rule out
	 * MSG_FASTOPEN, which would open a connection.
	 */
	RULE(__NR_sendto, 15),
	REQUIRE(3, MSG_DONTWAIT),
	LOAD(args[4]),
	SKIP_UNLESS(0, 3),
	LOAD_HIGH(4),
	SKIP_UNLESS(0, 1),
	ALLOW,
	LOAD(args[4]),
	[ADDRESS_LOW] = SKIP_IF(0, 1),
	KILL,
	LOAD_HIGH(4),
	[ADDRESS_HIGH] = SKIP_IF(0, 1),
	KILL,
	ALLOW,
	RULE(__NR_socket, 7),
	REQUIRE(0, AF_UNIX),
	REQUIRE(1, SOCK_DGRAM | SOCK_CLOEXEC),
	ALLOW,
	/* Wait for the next byte's time, and send the byte from the file. */
	ALLOW_CALL(__NR_ppoll),
	RULE(__NR_sendfile, 14),
	REQUIRE(0, SEND_CLIENT),
	REQUIRE(1, SEND_FILE),
	REQUIRE_HIGH(3, 0),
	LOAD(args[3]),
	SKIP_IF(1, 2),
	SKIP_IF(SEND_CODE_LEN, 1),
	KILL,
	ALLOW,
	/* Read the clock: see now_usec() of tarpit.c. */
	ALLOW_CALL(__NR_clock_gettime),
	ALLOW_CALL(__NR_rt_sigreturn),
	/*
	 * Ask when the client was last heard of, and hang up.  No other option
	 * may be asked for: TCP_ZEROCOPY_RECEIVE reads.
	 */
	RULE(__NR_getsockopt, 13),
	LOAD(args[1]),
	SKIP_UNLESS(SOL_SOCKET, 4),
	REQUIRE(2, SO_ERROR),
	ALLOW,
	REQUIRE(1, IPPROTO_TCP),
	REQUIRE(2, TCP_INFO),
	ALLOW,
	RULE(__NR_shutdown, 4),
	REQUIRE(0, SEND_CLIENT),
	ALLOW,
	/*
	 * Write one line to standard error, and exit.  connect(2) stays
	 * forbidden: it could connect the client's socket to another host.
	 */
	ALLOW_CALL(__NR_close),
	RULE(__NR_write, 4),
	REQUIRE(0, STDERR_FILENO),
	ALLOW,
	ALLOW_CALL(__NR_exit_group),

	KILL,
};

int
seal(void)
{
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};
	uint64_t address = (uintptr_t)&log_address;

	filter[ADDRESS_LOW].k = (uint32_t)address;
	filter[ADDRESS_HIGH].k = (uint32_t)(address >> 32);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/*
	 * An outer filter may kill the process for seccomp(2), which is in no
	 * group of systemd.exec(5), but it allows prctl(2), or the process
	 * would not have come this far.  Without an outer filter, seccomp(2) is
	 * better: valgrind(1), which could not run under our filter, does not
	 * know that call and lets it fail.
	 */
	if (prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER)
		return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

#else

int
seal(void)
{
	return -1;
}

#endif

int
seal_works(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(-seal());
	return child != -1 && waitpid(child, &status, 0) == child &&
	    status == 0;
}
