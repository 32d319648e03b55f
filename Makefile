# tarpit: make deps run | make deps check | make install

PREFIX	= /usr/local
BINDIR	= $(PREFIX)/sbin
MANDIR	= $(PREFIX)/share/man
DOCDIR	= $(PREFIX)/share/doc/tarpit
UNITDIR	= $(PREFIX)/lib/systemd/system
SYSUSERSDIR = $(PREFIX)/lib/sysusers.d
XINETDDIR = /etc/xinetd.d

CFLAGS	= -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion
HARDENING = -fstack-protector-strong -D_FORTIFY_SOURCE=2
STD	= -std=c17 -D_GNU_SOURCE
# Static: one process per connection, and it halves the memory of each.
# LDSTATIC= builds a dynamic binary.
LDSTATIC = -static
LDADD	= -lbsd

COMPILE	= $(CC) $(CPPFLAGS) $(STD) $(WARNINGS) $(HARDENING) $(CFLAGS)

SRCS	= tarpit.c log.c seal.c
OBJS	= tarpit.o log.o seal.o

all: tarpit

# Dynamic where a library has no static form.
tarpit: $(OBJS)
	@$(CC) $(CFLAGS) $(LDFLAGS) $(LDSTATIC) -o $@ $(OBJS) $(LDADD) \
	    2>/dev/null || { echo "no static libraries: linking dynamically"; \
	    $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(OBJS) $(LDADD); }

.c.o:
	$(COMPILE) -c -o $@ $<

tarpit.o: tarpit.c log.h seal.h
log.o: log.c log.h
seal.o: seal.c seal.h

include tests/tests.mk

clean:
	rm -f tarpit $(OBJS)
	rm -rf tests/build
