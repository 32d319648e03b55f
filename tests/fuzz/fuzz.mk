# Fuzzing; read by ../tests.mk.  Each fuzz_TARGET.c is linked with the sources
# that it fuzzes: by clang and with libFuzzer for "make fuzz", and by any
# compiler and with replay.c, which runs the corpus once, for "make check".

CLANG	= clang
FUZZ_SECONDS ?= 60
FUZZ_TARGETS = log input options helo dns
FUZZERS	= $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)
REPLAYS	= $(FUZZ_TARGETS:%=$(BUILD)/fuzz/replay_%)

# Some compilers fortify unasked, but a fortified call has another name, and the
# linker would not wrap it.
FUZZ_FLAGS = $(CPPFLAGS) $(STD) $(WARNINGS) $(CFLAGS) -U_FORTIFY_SOURCE \
	-fno-omit-frame-pointer
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ	= $(CLANG) $(FUZZ_FLAGS) $(SANITIZE) -fsanitize=fuzzer,float-cast-overflow
# With the sanitizers, if the compiler has them.
REPLAY	= $(CC) $(FUZZ_FLAGS) $$(echo 'int main(void) { return 0; }' | \
	$(CC) $(SANITIZE) -x c -o $(BUILD)/fuzz/sanitized - 2>/dev/null && \
	$(BUILD)/fuzz/sanitized && echo $(SANITIZE)) tests/fuzz/replay.c

# The database is left out: SQLite reads it, and fuzzes itself.  fuzz_options.c
# and fuzz_helo.c include tarpit.c.
FUZZ_STATS = tests/fuzz/check_stats.c hold.c \
	$(filter-out stats/stats.c stats/database.c stats/schema.c,$(STATS_SRCS))
FUZZ_log = tests/fuzz/fuzz_log.c hold.c
FUZZ_input = tests/fuzz/fuzz_input.c $(FUZZ_STATS) \
	-Wl,--wrap=getrandom,--wrap=read,--wrap=warnx
FUZZ_options = tests/fuzz/fuzz_options.c $(filter-out tarpit.c,$(SRCS)) \
	-Wl,--wrap=log_send,--wrap=dprintf,--wrap=seal_works
FUZZ_helo = tests/fuzz/fuzz_helo.c $(filter-out tarpit.c,$(SRCS)) \
	-Wl,--wrap=ppoll
FUZZ_dns = tests/fuzz/fuzz_dns.c mx/dns.c mx/name.c -lresolv
FUZZ_DEPS = $(SRCS) $(STATS_SRCS) $(STATS_STYLE) $(MX_SRCS) \
	$(wildcard *.h stats/*.h mx/*.h tests/fuzz/*.[ch])

fuzz: $(FUZZERS)	## fuzz for FUZZ_SECONDS a target
	status=0; for target in $(FUZZ_TARGETS); do \
	    FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/fuzz $$target || status=1; \
	done; exit $$status

check-fuzz: $(REPLAYS)	## the fuzzers' inputs, once
	tests/fuzz/replay $(FUZZ_TARGETS)

$(FUZZERS): $(BUILD)/fuzz/%: $(FUZZ_DEPS)
	@mkdir -p $(BUILD)/fuzz
	$(FUZZ) -o $@ $(FUZZ_$*) $(LDADD)

$(REPLAYS): $(BUILD)/fuzz/replay_%: $(FUZZ_DEPS)
	@mkdir -p $(BUILD)/fuzz
	@echo "$(CC) -o $@ $(FUZZ_$*)"
	@$(REPLAY) -o $@ $(FUZZ_$*) $(LDADD)
