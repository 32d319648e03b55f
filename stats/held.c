/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Who is stuck right now, by the processes in /proc.  Anyone may read the files
 * that are read here, and none of them tells anything about a client.
 */

#include <sys/stat.h>
#include <sys/types.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "held.h"
#include "../hold.h"

#define USER	 "tarpit"
#define PROGRAM	 "tarpit"
#define STAT_MAX 1024 /* at least twice as much as the first 22 fields */

#define STATE_FIELD 3
#define START_FIELD 22

/* What proc(5) says about a process. */
struct process {
	char name[64];
	char state;
	int64_t start; /* ms since the machine started */
};

static int count_processes(struct held *, DIR *, uid_t);
static void count_process(struct held *, int, const char *, int64_t);
static int read_process(int, const char *, struct process *);
static int parse_process(const char *, struct process *);
static int64_t uptime(void);

void
held_count(struct held *held)
{
	struct process first;
	struct passwd *user = getpwnam(USER);
	DIR *proc;

	memset(held, 0, sizeof(*held));
	if (user == NULL || (proc = opendir("/proc")) == NULL)
		return;
	/* If process 1 is hidden from us, the holds may be hidden as well. */
	if (read_process(dirfd(proc), "1", &first) == 0)
		held->known = count_processes(held, proc, user->pw_uid) == 0;
	closedir(proc);
}

static int
count_processes(struct held *held, DIR *proc, uid_t user)
{
	int64_t now = uptime();
	struct dirent *entry;
	struct stat st;

	while (errno = 0, (entry = readdir(proc)) != NULL) {
		const char *id = entry->d_name;

		if (strspn(id, "0123456789") == strlen(id) &&
		    fstatat(dirfd(proc), id, &st, 0) == 0 && st.st_uid == user)
			count_process(held, dirfd(proc), id, now);
	}
	return errno == 0 ? 0 : -1;
}

static void
count_process(struct held *held, int proc, const char *id, int64_t now)
{
	struct process process;
	int64_t age;

	/* By now the process may have gone, or be waiting for its parent. */
	if (read_process(proc, id, &process) == -1 || process.state == 'Z' ||
	    strcmp(process.name, PROGRAM) != 0)
		return;
	held->connections++;
	age = now - process.start;
	if (age > held->longest)
		held->longest = age;
}

static int
read_process(int proc, const char *id, struct process *process)
{
	char path[NAME_MAX + sizeof("/stat")], text[STAT_MAX];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/stat", id);
	if ((fd = openat(proc, path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len == -1)
		return -1;
	text[len] = '\0';
	return parse_process(text, process);
}

/* The text is "42 (name) S ...", with the start in its 22nd field. */
static int
parse_process(const char *text, struct process *process)
{
	const char *name = strchr(text, '(');
	const char *end = strrchr(text, ')'); /* a name may contain ')' */
	const char *before = end;
	size_t len;
	int field;

	for (field = STATE_FIELD; before != NULL && field <= START_FIELD;
	     field++) {
		if ((before = strchr(before + 1, ' ')) == NULL)
			return -1;
		if (field == STATE_FIELD)
			process->state = before[1];
	}
	if (name == NULL || before == NULL)
		return -1;
	len = (size_t)(end - name - 1);
	if (len >= sizeof(process->name))
		return -1;
	memcpy(process->name, name + 1, len);
	process->name[len] = '\0';
	process->start = (int64_t)strtoull(before, NULL, 10) * SECOND_MSEC /
	    sysconf(_SC_CLK_TCK);
	return 0;
}

/* In ms, and with the time in suspension, like the start of a process. */
static int64_t
uptime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * SECOND_MSEC + now.tv_nsec / 1000000;
}
