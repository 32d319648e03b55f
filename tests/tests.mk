# What only developers need; read by ../Makefile.

BUILD	= tests/build
CHECK_LIBS = -lcheck -lsubunit -lm -lrt -lpthread
UNIT	= $(BUILD)/unit_hold $(BUILD)/unit_log $(BUILD)/unit_tarpit \
	$(BUILD)/unit_stats $(BUILD)/unit_held $(BUILD)/unit_output \
	$(BUILD)/unit_title $(BUILD)/unit_database $(BUILD)/unit_mx
UNIT_STATS_SRCS = stats/set.c stats/totals.c stats/calendar.c stats/write.c
UNIT_DATABASE_SRCS = hold.c stats/schema.c stats/set.c stats/totals.c \
	stats/calendar.c
UNIT_MX_SRCS = mx/rules.c mx/name.c mx/dns.c
# Programs with one thing changed, and no_seccomp, which runs a program.
MODIFIED = $(BUILD)/tarpit-attempt $(BUILD)/tarpit-stepped \
	$(BUILD)/tarpit-leaping $(BUILD)/tarpit-unsealed \
	$(BUILD)/tarpit-failing $(BUILD)/tarpit-stats-failing \
	$(BUILD)/tarpit-mx-failing $(BUILD)/no_seccomp
# The calls that tests/doubles/failing.c can make fail.
CALLS	= asprintf calloc fcntl fdopen fflush flock fstat fsync ftruncate \
	gethostname getrandom getsockname getsockopt pipe2 poll prctl pread \
	read reallocarray recv send sendfile socket splice stat syscall
# These programs read times in logs, as tarpit-stats does.
$(BUILD)/tarpit-stats $(BUILD)/unit_hold $(BUILD)/unit_stats \
	$(BUILD)/unit_held $(BUILD)/unit_output $(BUILD)/unit_database: \
	STD += $(STATS_STD)
# Servers that the sandbox lays over /usr and /etc; see tests/setup/unpack.
SERVERS	= xinetd openbsd-inetd ucspi-tcp ipsvd postfix rsyslog libfaketime \
	nftables dnsmasq-base

# All tests run, or with TESTS="test_seal test_database" only those of
# tests/e2e.
TESTS	=

WITH_ALL = $(if $(TESTS),,check-units check-fuzz)

check: check-programs $(WITH_ALL)	## the tests; TESTS="test_seal ..."
	tests/setup/unpack $(BUILD)/root $(SERVERS)
	tests/e2e/run $(TESTS)

# Every program that the tests run.
check-programs: all $(UNIT) $(MODIFIED)	## build what the tests run

check-units: $(UNIT)	## the unit tests
	set -e; for unit in $(UNIT); do $$unit; done

$(BUILD)/unit_hold: tests/unit/test_hold.c tests/unit/unit.h hold.c $(HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit/test_hold.c hold.c $(CHECK_LIBS)

$(BUILD)/unit_log: tests/unit/test_log.c tests/unit/unit.h log.c $(HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit/test_log.c log.c $(CHECK_LIBS)

# The test includes tarpit.c.
$(BUILD)/unit_tarpit: tests/unit/test_tarpit.c tests/unit/unit.h $(SRCS) \
	$(HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit/test_tarpit.c \
	    $(filter-out tarpit.c,$(SRCS)) $(CHECK_LIBS)

$(BUILD)/unit_stats: tests/unit/test_stats.c tests/unit/unit.h \
	$(UNIT_STATS_SRCS) stats/set.h stats/totals.h stats/calendar.h stats/write.h
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit/test_stats.c $(UNIT_STATS_SRCS) $(CHECK_LIBS)

# The tests held, output and title include the source that they test.
$(BUILD)/unit_held: tests/unit/test_held.c tests/unit/unit.h stats/held.[ch] \
	stats/edition.[ch]
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit/test_held.c -lbsd $(CHECK_LIBS)

$(BUILD)/unit_output: tests/unit/test_output.c tests/unit/unit.h \
	stats/output.[ch]
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit/test_output.c $(CHECK_LIBS)

$(BUILD)/unit_title: tests/unit/test_title.c tests/unit/unit.h stats/title.[ch]
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit/test_title.c $(CHECK_LIBS)

$(BUILD)/unit_database: tests/unit/test_database.c tests/unit/unit.h \
	stats/database.c $(UNIT_DATABASE_SRCS) stats/*.h
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit/test_database.c $(UNIT_DATABASE_SRCS) \
	    $(STATS_LDADD) $(CHECK_LIBS)

$(BUILD)/unit_mx: tests/unit/test_mx.c tests/unit/unit.h $(UNIT_MX_SRCS) \
	$(MX_HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit/test_mx.c $(UNIT_MX_SRCS) -lresolv \
	    $(CHECK_LIBS)

$(BUILD)/tarpit-attempt: tests/doubles/attempt.c $(SRCS) $(HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) -Wl,--wrap=seal -o $@ tests/doubles/attempt.c $(SRCS)

$(BUILD)/tarpit-stepped: tests/doubles/stepped_clock.c $(SRCS) $(HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) -Wl,--wrap=syscall -o $@ tests/doubles/stepped_clock.c $(SRCS)

$(BUILD)/tarpit-leaping: tests/doubles/leaping_clock.c $(SRCS) $(HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) $(UNCHANGED) \
	    -Wl,--wrap=ppoll,--wrap=syscall,--wrap=clock_gettime -o $@ \
	    tests/doubles/leaping_clock.c $(SRCS)

# With fortification, inline functions of an older libc or 64-bit offsets, some
# calls would have other names.
UNCHANGED = -U_FORTIFY_SOURCE -D__NO_INLINE__ -U_FILE_OFFSET_BITS

$(BUILD)/tarpit-failing: tests/doubles/failing.c $(SRCS) $(HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) $(UNCHANGED) $(CALLS:%=-Wl,--wrap=%) -o $@ \
	    tests/doubles/failing.c $(SRCS)

$(BUILD)/tarpit-stats-failing: tests/doubles/failing.c $(STATS_SRCS) hold.c \
	$(STATS_STYLE)
	@mkdir -p $(BUILD)
	$(COMPILE) $(UNCHANGED) $(CALLS:%=-Wl,--wrap=%) -o $@ \
	    tests/doubles/failing.c $(STATS_SRCS) hold.c $(STATS_LDADD)

$(BUILD)/tarpit-mx-failing: tests/doubles/failing.c $(MX_SRCS) $(MX_HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) $(UNCHANGED) $(CALLS:%=-Wl,--wrap=%) -o $@ \
	    tests/doubles/failing.c $(MX_SRCS) $(LDADD) -lresolv

$(BUILD)/tarpit-unsealed: $(SRCS) $(HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) -DNO_SEAL -o $@ $(SRCS)

$(BUILD)/no_seccomp: tests/doubles/no_seccomp.c
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/doubles/no_seccomp.c

include tests/fuzz/fuzz.mk

# All programs once more, dynamic and in $(BUILD), to be built with other flags
# and run by tests/setup/with.
BUILT	= $(BUILD)/tarpit $(BUILD)/tarpit-stats $(BUILD)/tarpit-mx $(MODIFIED) \
	$(UNIT)

built: $(BUILT)

# How many lines and branches of the sources the tests run; at -O0, every branch
# is a branch of the source.  tests/setup/deps coverage installs what is needed;
# tests/coverage/counters.c says how the counting is done.
COVERAGE = $(BUILD)/coverage
COUNTED	= gcc $(STD) -O0 --coverage -fprofile-update=atomic \
	-fdata-sections -no-pie -Wl,-T,tests/coverage/counters.ld \
	-Wl,--wrap=__gcov_exit -DCOUNTERS=\"$(CURDIR)/$$@.counters\" \
	tests/coverage/counters.c

coverage: all	## which lines and branches the tests run
	tests/setup/unpack $(BUILD)/root $(SERVERS)
	rm -rf $(COVERAGE)
	$(MAKE) BUILD=$(COVERAGE) COMPILE='$(COUNTED)' built
	tests/coverage/coverage $(COVERAGE) || [ $$? -eq 77 ]

# Every read and write is checked, and undefined behaviour is an error.  The
# checks make system calls that the seal forbids, so the programs are built
# without it.
SANITIZED = $(BUILD)/sanitized
SANITIZED_FLAGS = -O2 -g -fno-omit-frame-pointer $(SANITIZE) -static-libasan \
	-static-libubsan -DNO_SEAL -DNOBODY=0 \
	-DREPORTS=$(CURDIR)/$(SANITIZED)/reports tests/doubles/sanitized.c

check-sanitized: all	## the tests under AddressSanitizer and UBSan
	tests/setup/unpack $(BUILD)/root $(SERVERS)
	rm -rf $(SANITIZED)
	$(MAKE) CC=gcc BUILD=$(SANITIZED) HARDENING= CFLAGS='$(SANITIZED_FLAGS)' \
	    built
	TARPIT_UNSEALED=1 CK_FORK=no tests/setup/with $(SANITIZED)

# Every bit of memory is checked; tests/setup/deps valgrind installs what is
# needed.  There is no seal and no fortification, since valgrind does not know
# seccomp(2), and takes a fortified memmove(3) for memcpy(3).
MEMCHECK = $(BUILD)/memcheck

check-valgrind: all	## some of the tests under valgrind
	tests/setup/unpack $(BUILD)/root $(SERVERS)
	rm -rf $(MEMCHECK)
	$(MAKE) BUILD=$(MEMCHECK) HARDENING= \
	    CFLAGS='-O2 -g -DNO_SEAL -DNOBODY=0' built
	tests/memcheck/check-valgrind $(MEMCHECK) || [ $$? -eq 77 ]

# Under a real systemd, of this machine's Debian suite or of each of SUITES;
# tests/setup/deps lab installs what is needed.
check-systemd: all	## the installed units under a real systemd
	set -e; for suite in $(SUITES) $(if $(SUITES),,''); do \
	    tests/systemd/check-systemd $$suite; \
	    tests/systemd/check-others $$suite; done

bench-supers: all	## what a connection costs under each super-server
	bench/bench-supers

# The page in a real browser, the metrics in promtool; tests/setup/deps page
# installs what is needed.
check-page: all	## the page in a real browser
	tests/setup/unpack $(BUILD)/prometheus prometheus
	python3 -m tests.page.check_page || [ $$? -eq 77 ]
	tests/setup/unpack $(BUILD)/nginx nginx
	TARPIT_ROOT=$(CURDIR)/$(BUILD)/nginx tests/setup/sandbox \
	    python3 -m tests.page.check_nginx || [ $$? -eq 77 ]

picture: all	## draw the README's picture
	python3 -m tests.page.check_page picture

# The package, in fresh Debian roots of each of SUITES; tests/setup/deps lab
# installs what is needed.
check-deb:	## the package, on fresh machines
	tests/package/check-deb $(SUITES)

# Under the kernels of Debian releases, emulated, for each SUITE:ARCHITECTURE in
# GUESTS; tests/setup/deps guests installs what is needed.
check-guests:	## under Debian's kernels, on x86-64 and ARM64
	tests/guests/check-guests $(GUESTS)

# Ten thousand clients that misbehave; needs root.
chaos: tarpit	## 10,000 clients that misbehave
	tests/setup/unpack $(BUILD)/root $(SERVERS)
	tests/chaos/chaos || [ $$? -eq 77 ]

# For a 32-bit machine, and for a big-endian machine, which is emulated;
# tests/setup/deps ports installs what is needed.
check-ports: all	## for i386 and s390x
	tests/ports/check-ports || [ $$? -eq 77 ]

# Genuine mail, from real mail servers; needs root.
MAIL	= postfix exim4-daemon-light opensmtpd dnsmasq-base xinetd libfaketime \
	nftables sendmail-bin sendmail-cf m4 dma nullmailer php-cli \
	php-mbstring php-symfony-mailer

check-mail: tarpit	## genuine mail from real mail servers
	tests/setup/unpack $(BUILD)/mail $(MAIL)
	tests/mail/check-mail || [ $$? -eq 77 ]

# How long clients are held, by tarpit and by other means.
bench-hold: tarpit	## how long clients are held
	bench/bench-hold

# Exim takes part if it can be unpacked.
bench: all	## what a connection, and a log, cost
	-tests/setup/unpack $(BUILD)/mail $(MAIL)
	status=0; export TARPIT_ROOT=$(CURDIR)/$(BUILD)/mail; \
	tests/setup/sandbox python3 -m bench.bench || status=1; \
	python3 -m bench.bench_stats || status=1; exit $$status

# lint needs large packages, which only developers want: tests/setup/deps lint.
BY_FIRST_LINE = grep -rlI --exclude-dir=.git --exclude-dir=build \
	--exclude-dir=dist -E
C_FILES	= *.c *.h stats/*.[ch] mx/*.[ch] tests/unit/*.[ch] tests/doubles/*.c \
	tests/fuzz/*.[ch] tests/coverage/*.c bench/*.c

lint: $(STATS_STYLE)	## the linters
	clang-format --dry-run -Werror $(C_FILES)
	# One file at a time: the analyzer carries errors from file to file.
	set -e; for file in $(SRCS) $(STATS_SRCS) $(MX_SRCS); do \
	    clang-tidy --quiet $$file -- $(STD); done
	cppcheck --quiet --std=c17 --error-exitcode=1 \
	    --enable=warning,style,performance,portability $(SRCS) \
	    $(STATS_SRCS) $(MX_SRCS) tests/unit/*.c tests/doubles/*.c bench/*.c
	shellcheck $$($(BY_FIRST_LINE) '^#! ?/bin/sh' .)
	# Tabs are in strings that become files; the rest is a matter of taste.
	flake8 --max-line-length=80 --extend-exclude=build \
	    --extend-ignore=E101,E127,E128,W191 \
	    tests bench $$($(BY_FIRST_LINE) '^#!.*python3' .)
	mandoc -Tlint -Wwarning tarpit.8 tarpit-stats.8 tarpit-mx.8
	$(MAKE) CC=clang CFLAGS='-O2 -Werror' BUILD=$(BUILD)/clang lint-build
	$(MAKE) CC=gcc CFLAGS='-O2 -Werror' BUILD=$(BUILD)/gcc lint-build

# Everything must build without a warning under either compiler.
lint-build: $(BUILT) $(BUILD)/floor

$(BUILD)/tarpit-stats: $(STATS_SRCS) hold.c $(STATS_STYLE)
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ $(STATS_SRCS) hold.c $(STATS_LDADD)

$(BUILD)/tarpit-mx: $(MX_SRCS) $(MX_HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ $(MX_SRCS) $(LDADD) -lresolv

$(BUILD)/tarpit: $(SRCS) $(HEADERS)
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ $(SRCS)

$(BUILD)/floor: bench/floor.c
	@mkdir -p $(BUILD)
	$(COMPILE) -fno-stack-protector -static -nostdlib -o $@ bench/floor.c
