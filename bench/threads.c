/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Another way to hold clients, for the benchmark: one process with a thread for
 * each connection, which does no more than floor.c does.
 *
 * usage: threads milliseconds <listening socket
 */

#include <sys/socket.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct timespec interval;

static void *
hold(void *arg)
{
	static const char greeting[] = "220 threads ESMTP\r\n";
	static const char filler[] = "250-threads a b c d e f g h i";
	struct pollfd pfd = { .fd = (int)(intptr_t)arg };
	ssize_t n;
	size_t i;
	char ch = '\0';

	n = write(pfd.fd, greeting, sizeof(greeting) - 1);
	while (n > 0 && ch != '\n')
		n = read(pfd.fd, &ch, 1);
	for (i = 0; n > 0; i = (i + 1) % (sizeof(filler) - 1)) {
		if (ppoll(&pfd, 1, &interval, NULL) != 0)
			break;
		n = write(pfd.fd, &filler[i], 1);
	}
	close(pfd.fd);
	return NULL;
}

int
main(int argc, char *argv[])
{
	long msec = argc > 1 ? strtol(argv[1], NULL, 10) : 4000;
	pthread_t thread;
	int fd;

	interval.tv_sec = msec / 1000;
	interval.tv_nsec = msec % 1000 * 1000000;
	signal(SIGPIPE, SIG_IGN);
	while ((fd = accept(STDIN_FILENO, NULL, NULL)) != -1) {
		if (pthread_create(&thread, NULL, hold, (void *)(intptr_t)fd) !=
		    0)
			return 1;
		pthread_detach(thread);
	}
	return 1;
}
