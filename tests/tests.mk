# Everything that only developers need; read by ../Makefile.

BUILD	= tests/build
CHECK_LIBS = -lcheck -lsubunit -lm -lrt -lpthread
UNIT	= $(BUILD)/unit_log $(BUILD)/unit_tarpit
# The real objects with one thing changed.
MODIFIED = $(BUILD)/tarpit-attempt $(BUILD)/tarpit-stepped \
	$(BUILD)/tarpit-unsealed $(BUILD)/no_seccomp
# Laid over /usr and /etc in the sandbox; see tests/unpack.
SERVERS	= xinetd openbsd-inetd ucspi-tcp ipsvd postfix rsyslog libfaketime

check: tarpit $(UNIT) $(MODIFIED)
	$(BUILD)/unit_log
	$(BUILD)/unit_tarpit
	tests/unpack $(BUILD)/root $(SERVERS)
	tests/e2e/run

$(BUILD)/unit_log: tests/unit_log.c tests/unit.h log.c log.h
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit_log.c log.c $(CHECK_LIBS)

$(BUILD)/unit_tarpit: tests/unit_tarpit.c tests/unit.h $(SRCS) log.h seal.h
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/unit_tarpit.c log.c seal.c $(CHECK_LIBS) $(LDADD)

$(BUILD)/tarpit-attempt: tests/attempt.c $(OBJS)
	@mkdir -p $(BUILD)
	$(COMPILE) -Wl,--wrap=seal -o $@ tests/attempt.c $(OBJS) $(LDADD)

$(BUILD)/tarpit-stepped: tests/stepped_clock.c $(OBJS)
	@mkdir -p $(BUILD)
	$(COMPILE) -Wl,--wrap=clock_gettime -o $@ tests/stepped_clock.c \
	    $(OBJS) $(LDADD)

$(BUILD)/tarpit-unsealed: $(SRCS) log.h seal.h
	@mkdir -p $(BUILD)
	$(COMPILE) -DNO_SEAL -o $@ $(SRCS) $(LDADD)

$(BUILD)/no_seccomp: tests/no_seccomp.c
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ tests/no_seccomp.c

# Under a real systemd; tests/deps lab installs what that takes.
check-systemd: tarpit
	tests/lab/systemd
	tests/lab/others

bench-supers: tarpit
	tests/lab/supers

bench: tarpit
	tests/sandbox python3 tests/bench.py

# What lint needs is large, and not for users: tests/deps lint.
SCRIPTS	= tests/sandbox tests/unpack tests/deps units/install units/uninstall \
	units/tcpserver/run units/tcpsvd/run tests/lab/boot tests/lab/image \
	tests/lab/systemd tests/lab/others tests/lab/supers
C_FILES	= *.c *.h tests/*.c tests/*.h

lint:
	clang-format --dry-run -Werror $(C_FILES)
	clang-tidy --quiet $(SRCS) -- $(STD)
	cppcheck --quiet --std=c17 --error-exitcode=1 \
	    --enable=warning,style,performance,portability $(SRCS) tests/*.c
	shellcheck $(SCRIPTS)
	mandoc -Tlint -Wwarning tarpit.8
	$(MAKE) CC=clang CFLAGS='-O2 -Werror' BUILD=$(BUILD)/clang lint-build
	$(MAKE) CC=gcc CFLAGS='-O2 -Werror' BUILD=$(BUILD)/gcc lint-build

# Without a warning under either compiler.
lint-build: $(UNIT) $(BUILD)/tarpit-unsealed $(BUILD)/tarpit $(BUILD)/floor \
	$(BUILD)/no_seccomp

$(BUILD)/tarpit: $(SRCS) log.h seal.h
	@mkdir -p $(BUILD)
	$(COMPILE) -o $@ $(SRCS) $(LDADD)

$(BUILD)/floor: tests/floor.c
	@mkdir -p $(BUILD)
	$(COMPILE) -fno-stack-protector -static -nostdlib -o $@ tests/floor.c
