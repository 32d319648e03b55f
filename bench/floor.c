/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The floor under every price that the benchmark states: a static program
 * without a C library that greets, reads a line and dribbles, with no options,
 * no seal, no cap and no log.  With -DSENDFILE the program sends from its own
 * file, as ../send.c does and for the same reason.
 *
 * usage: floor [milliseconds]
 */

#include <sys/types.h>

#include <linux/time_types.h>

#include <asm/unistd.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>

/* The sixth argument of every system call here is 0. */
static long
call(long number, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
	register long result __asm__("rax") = number;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = 0;

	__asm__ volatile("syscall"
			 : "+r"(result)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = 0;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
#error "no system call known for this processor"
#endif
}

static const char greeting[] = "220 floor ESMTP\r\n";
static const char filler[] = "250-floor a b c d e f g h i j";

#ifdef SENDFILE

extern const char __ehdr_start[];

static void
open_file(void)
{
	call(__NR_close, 1, 0, 0, 0, 0);
	call(__NR_openat, AT_FDCWD, (long)"/proc/self/exe", O_RDONLY, 0, 0);
}

static void
greet(void)
{
	int ends[2];

	call(__NR_pipe2, (long)ends, O_NONBLOCK, 0, 0, 0);
	call(__NR_write, ends[1], (long)greeting, sizeof(greeting) - 1, 0, 0);
	call(__NR_splice, ends[0], 0, 0, 0, sizeof(greeting) - 1);
	call(__NR_close, ends[0], 0, 0, 0, 0);
	call(__NR_close, ends[1], 0, 0, 0, 0);
}

static long
send_byte(const char *byte)
{
	off_t at = (off_t)((uintptr_t)byte - (uintptr_t)__ehdr_start);

	return call(__NR_sendfile, 0, 1, (long)&at, 1, 0);
}

#else

static void
open_file(void)
{
}

static void
greet(void)
{
	call(__NR_write, 0, (long)greeting, sizeof(greeting) - 1, 0, 0);
}

static long
send_byte(const char *byte)
{
	return call(__NR_write, 0, (long)byte, 1, 0, 0);
}

#endif

static long
parse(const char *s)
{
	long n = 0;

	while (*s >= '0' && *s <= '9')
		n = n * 10 + (*s++ - '0');
	return n;
}

__attribute__((__used__)) static _Noreturn void
hold(long *stack)
{
	struct pollfd pfd = { .fd = 0 };
	struct __kernel_timespec ts;
	long msec, i;
	char ch;

	msec = stack[0] > 1 ? parse((const char *)stack[2]) : 4000;
	open_file();
	greet();
	do {
		if (call(__NR_read, 0, (long)&ch, 1, 0, 0) != 1)
			call(__NR_exit_group, 0, 0, 0, 0, 0);
	} while (ch != '\n');

	for (i = 0;; i = (i + 1) % (long)(sizeof(filler) - 1)) {
		ts.tv_sec = msec / 1000;
		ts.tv_nsec = msec % 1000 * 1000000;
		if (call(__NR_ppoll, (long)&pfd, 1, (long)&ts, 0, 0) != 0 ||
		    send_byte(&filler[i]) != 1)
			call(__NR_exit_group, 0, 0, 0, 0, 0);
	}
}

/* At the start, the count of arguments is on top of the stack. */
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n"
	"\tcall hold\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tbl hold\n");
#endif
