# make deps run	try tarpit on 127.0.0.1:2525
# make deps check	run the tests
# make small		build all, with a smaller tarpit (musl)
# make install		install all, then follow what it prints

PREFIX	= /usr/local
BINDIR	= $(PREFIX)/sbin
LIBDIR	= $(PREFIX)/lib/tarpit
MANDIR	= $(PREFIX)/share/man/man8
DOCDIR	= $(PREFIX)/share/doc/tarpit
UNITDIR	= $(PREFIX)/lib/systemd/system
SYSUSERSDIR = $(PREFIX)/lib/sysusers.d
XINETDDIR = /etc/xinetd.d

CFLAGS	?= -O2 -g
# tarpit is static, since each connection has a process, and a static process
# takes a quarter less memory.  "make LDSTATIC=" links dynamically, which also
# happens if there is no static libc.
LDSTATIC = -static
LDADD	= -lbsd
STATS_LDADD = $(LDADD) -lsqlite3 -Wl,-z,relro,-z,now
# "make small" adds the kernel's headers, which musl-gcc leaves out, and the
# build id, by which debuggers find the symbols; it maps the file twice, not
# four times.
SMALL	= tarpit
MUSL_CC	= musl-gcc
MUSL_CFLAGS = -static -Wl,-z,noseparate-code -Wl,--build-id \
	-idirafter /usr/include \
	-idirafter /usr/include/`$(MUSL_CC) -print-multiarch`
# On x86-64, the program goes to the beginning of the 512 GB that end with the
# stack, so that one page table serves both.  From there, address 0 is out of
# reach: for the missing symbols that musl's start files refer to, and for the
# instructions into which the linker would relax such references.
MUSL_AT	= 0x7f8000000000
MUSL_NEAR_x86_64 = -fPIE -no-pie -Wl,-Ttext-segment=$(MUSL_AT) \
	-Wl,--no-relax -Wl,-u,__cxa_finalize -Wl,--defsym=_DYNAMIC=$(MUSL_AT)
MUSL_NEAR = $(MUSL_NEAR_$(firstword $(subst -, ,\
	$(shell $(MUSL_CC) -dumpmachine))))
MUSL	= $(MUSL_CC) $(FLAGS) $(MUSL_CFLAGS) $(LDFLAGS) -o $(SMALL) $(SRCS)

# For 32-bit systems: logs of more than 2 GB, and dates after 2038 in them.
# tarpit is built without _TIME_BITS: with it, the fortified ppoll(2) of glibc
# 2.36 waits for whole seconds only.
STD	= -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
STATS_STD = -D_TIME_BITS=64
WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion
# A distribution's own flags may ask for more fortification: a second definition
# would be a warning.
HARDENING = -fstack-protector-strong $(if $(findstring _FORTIFY_SOURCE,\
	$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
# The program must be the same wherever it is built.
REPRODUCIBLE = -ffile-prefix-map=$(CURDIR)=.
FLAGS	= $(CPPFLAGS) $(STD) $(WARNINGS) $(HARDENING) $(REPRODUCIBLE) $(CFLAGS)
COMPILE	= $(CC) $(FLAGS)
LINK	= $(CC) $(CFLAGS) $(LDFLAGS)

SRCS	= tarpit.c hold.c log.c seal.c send.c
OBJS	= $(SRCS:.c=.o)
HEADERS	= cap.h hold.h log.h seal.h send.h version.h
STATS_SRCS = stats/stats.c stats/input.c stats/database.c stats/schema.c \
	stats/totals.c stats/set.c stats/calendar.c stats/write.c \
	stats/report.c stats/output.c stats/edition.c stats/held.c \
	stats/title.c stats/page.c stats/page_bars.c \
	stats/page_curve.c stats/page_periods.c
STATS_OBJS = $(STATS_SRCS:.c=.o) hold.o
STATS_STYLE = stats/page.css.inc
STATS_HEADERS = hold.h version.h stats/*.h $(STATS_STYLE)
MX_SRCS	= mx/mx.c mx/lookup.c mx/dns.c mx/ask.c mx/probe.c mx/rules.c \
	mx/report.c mx/name.c
MX_OBJS	= $(MX_SRCS:.c=.o)
MX_HEADERS = cap.h version.h mx/*.h

.PHONY: all help small deps run check check-programs check-units check-fuzz \
	check-systemd check-mail check-page check-deb check-ports check-guests \
	built coverage check-sanitized check-valgrind chaos fuzz picture bench \
	bench-supers bench-hold lint lint-build install uninstall dist deb clean
# "make deps check" installs packages before anything else begins.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

all: tarpit tarpit-stats tarpit-mx	## build the programs

tarpit: $(OBJS)
tarpit: LDADD =
# tarpit-stats is dynamic, since it is not started for each connection.
tarpit-stats: $(STATS_OBJS)
	$(LINK) -o $@ $^ $(STATS_LDADD)

tarpit:
	@echo "$(LINK) $(LDSTATIC) -o $@ $^ $(LDADD)"
	@$(LINK) $(LDSTATIC) -o $@ $^ $(LDADD) 2>/dev/null || { \
	    echo "no static libraries here: linking dynamically"; \
	    $(LINK) -o $@ $^ $(LDADD); }

# tarpit-mx is dynamic, to use the machine's own resolver.
tarpit-mx: LDADD += -lresolv -Wl,-z,relro,-z,now
tarpit-mx: $(MX_OBJS)
	@$(LINK) -o $@ $^ $(LDADD)

# "make small" builds everything else first, so that "make install" finds no
# source newer than its program.
small: all	## the same, tarpit with musl: smaller still
	@echo "$(MUSL) $(MUSL_NEAR)"
	@$(MUSL) $(MUSL_NEAR) || $(MUSL)

.c.o:
	$(COMPILE) -c -o $@ $<

$(STATS_SRCS:.c=.o): STD += $(STATS_STD)
$(OBJS): $(HEADERS)
$(STATS_OBJS): $(STATS_HEADERS)
$(MX_OBJS): $(MX_HEADERS)

# The style sheet becomes C strings, one for each line, without comments and
# indentation.
$(STATS_STYLE): stats/page.css
	@sed -e '/^[[:blank:]]*\/\*.*\*\/$$/d' \
	    -e '/^[[:blank:]]*\/\*/,/\*\/$$/d' -e 's/^[[:blank:]]*//' \
	    -e '/^$$/d' -e 's/["\\]/\\&/g' -e 's/.*/"&",/' \
	    stats/page.css >$@.new
	@mv $@.new $@

help:	## these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s%s\n", $$1, $$2 }' \
	    $(MAKEFILE_LIST)

# Install what is needed to build, and with "make deps run" or "make deps check"
# also what is needed to try or to test the programs.
deps:	## install what it takes to build; with run, check, that too
	tests/setup/deps build $(filter run check,$(MAKECMDGOALS))

# After Ctrl-C, the shell stays for a moment: if it ended before make has heard
# of the signal, make would complain that it has no child to wait for.
run: tarpit	## try it on 127.0.0.1:2525
	@echo "tarpit listens on 127.0.0.1:2525; Ctrl-C ends it and all holds."
	@echo "In a second terminal, get stuck by hand (type EHLO me, Enter):"
	@echo "    curl -Ns telnet://127.0.0.1:2525"
	@echo "or with a mail client:"
	@echo "    swaks --server 127.0.0.1:2525 --to you@example.org"
	@echo "When one gives up (Ctrl-C will do), its log line comes here:"
	@trap 'sleep 1 || :' INT; SYSTEMD_LOG_LEVEL=err \
	    systemd-socket-activate --accept --inetd --listen=127.0.0.1:2525 \
	    ./tarpit -d -i 1000 || [ $$? -eq 130 ]

# tarpit is replaced in one step, since a connection may come at any moment.
install: all	## install it, then follow what it prints
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(DOCDIR)/stats
	install -m 755 tarpit $(DESTDIR)$(BINDIR)/tarpit.new
	mv -f $(DESTDIR)$(BINDIR)/tarpit.new $(DESTDIR)$(BINDIR)/tarpit
	install -m 755 tarpit-stats tarpit-mx $(DESTDIR)$(BINDIR)
	install -m 644 LICENSE $(DESTDIR)$(DOCDIR)
	install -m 644 stats/page.png $(DESTDIR)$(DOCDIR)/stats
	@units/install '$(DESTDIR)' '$(BINDIR)' '$(LIBDIR)' '$(MANDIR)' \
	    '$(DOCDIR)' '$(UNITDIR)' '$(SYSUSERSDIR)' '$(XINETDDIR)'

uninstall:	## take that away
	@units/uninstall '$(DESTDIR)' '$(LIBDIR)' '$(DOCDIR)' '$(UNITDIR)' \
	    '$(SYSUSERSDIR)' '$(XINETDDIR)'
	rm -f $(DESTDIR)$(BINDIR)/tarpit $(DESTDIR)$(BINDIR)/tarpit-stats \
	    $(DESTDIR)$(BINDIR)/tarpit-mx
	rm -f $(DESTDIR)$(MANDIR)/tarpit.8 $(DESTDIR)$(MANDIR)/tarpit-stats.8 \
	    $(DESTDIR)$(MANDIR)/tarpit-mx.8
	rm -rf $(DESTDIR)$(DOCDIR)
	@rmdir $(DESTDIR)$(MANDIR) 2>/dev/null || :

# Make dist/tarpit-VERSION.tar.xz, the same file from the same tree.  It
# contains all but what git ignores, so make a release in a fresh clone.
dist:	## the sources, into dist
	packaging/tarball dist

deb:	## the Debian package, into dist
	packaging/deb dist

clean:	## remove what was built
	rm -f tarpit tarpit-stats tarpit-mx $(OBJS) $(STATS_OBJS) $(MX_OBJS) \
	    $(STATS_STYLE)
	rm -rf tests/build dist

include tests/tests.mk
