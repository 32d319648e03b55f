/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Run the program that TARPIT names, with the same arguments, under an outer
 * filter.  If ATTEMPT is "refuse", the filter refuses any further filter, as
 * the sandbox of a container may; if ATTEMPT is "kill", it kills the program
 * for seccomp(2), as systemd does for a call that it was not told to allow.
 */

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN_IF(value, action) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), \
	    BPF_STMT(BPF_RET | BPF_K, action)

static struct sock_filter refuse[] = {
	LOAD(nr),
	RETURN_IF(SYS_seccomp, SECCOMP_RET_ERRNO | EPERM),
	LOAD(args[0]), /* only prctl(2) is called with this argument */
	RETURN_IF(PR_SET_SECCOMP, SECCOMP_RET_ERRNO | EPERM),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static struct sock_filter kill_seccomp[] = {
	LOAD(nr),
	RETURN_IF(SYS_seccomp, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

int
main(int argc, char *argv[])
{
	struct sock_fprog program = { sizeof(refuse) / sizeof(refuse[0]),
		refuse };

	(void)argc;
	if (strcmp(getenv("ATTEMPT"), "kill") == 0) {
		program.len = sizeof(kill_seccomp) / sizeof(kill_seccomp[0]);
		program.filter = kill_seccomp;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		return 2;
	execv(getenv("TARPIT"), argv);
	return 2;
}
