/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SEAL_H
#define SEAL_H

/*
 * Give up, for the rest of the process's life, everything that a hold does
 * not need once the client's command is heard.  From here the kernel ends the
 * process with SIGSYS at any system call that is not on the list in seal.c.
 * That rules out reading and receiving in any way, first of all, but also
 * opening a file, starting a program or a process, and looking into another
 * process.  See seccomp(2).
 *
 * Returns 0; or -1, and does nothing, where the kernel refuses, or on a system
 * or a processor for which seal.c has no list.  The process may go on, but then
 * nothing except its own code keeps it from reading.
 */
int seal(void);

/* Return 1 if this build can seal a process on this kernel, 0 if it cannot. */
int seal_works(void);

#endif
