# SPDX-License-Identifier: BSD-2-Clause
#
# make deps run    bring the libraries, try it on the sample configuration
# make deps check  bring everything, run every test; the last line counts them
# make help        all targets

VERSION = 0.1.0
BUILD  ?= build
CC     ?= cc
AR     ?= ar
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
TIME   ?= 60

# Goals at once: as many as there are processors, unless -j says otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1) --no-print-directory
endif
ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

# pkg-config is asked only when a recipe runs: `make deps check` brings it.
LIBS = libevent_core libevent_extra libpcre2-8 libidn2
FG_CPPFLAGS = -D_GNU_SOURCE -Iinclude -DFROMGUARD_VERSION='"$(VERSION)"' \
	-DPCRE2_CODE_UNIT_WIDTH=8 $(shell pkg-config --cflags $(LIBS))
# Where and when it is built is not in what is built (tests/reproducible.sh).
FG_CFLAGS = -std=c11 -pthread -fno-common -fstack-protector-strong -fPIE \
	"-fdebug-prefix-map=$(CURDIR)=." -Werror=date-time \
	-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wvla -Wformat=2 \
	-Wpointer-arith -Wwrite-strings -Wundef $(if $(WERROR),-Werror)
FG_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now
FG_LDLIBS = $(shell pkg-config --libs $(LIBS)) -lcdb -lunistring

LIB_SRC  = $(wildcard src/base/*.c src/wire/*.c src/maps/*.c src/policy/*.c \
	src/server/*.c)
CMD_SRC  = $(wildcard src/cmd/*.c)
LIB_OBJ  = $(LIB_SRC:%.c=$(BUILD)/%.o)
CMD_OBJ  = $(CMD_SRC:%.c=$(BUILD)/%.o)
LIBRARY  = $(BUILD)/libfromguard.a
PROGRAM  = $(BUILD)/fromguard

T        = $(BUILD)/tests
UNIT     = $(patsubst tests/unit/%.c,$T/%,$(wildcard tests/unit/test_*.c))
BENCH    = $(patsubst tests/bench/%.c,$T/bench/%,$(wildcard tests/bench/*.c))
QUERY    = $(patsubst tests/parity/%.c,$T/%,$(wildcard tests/parity/*.c))
FUZZ     = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY   = $(FUZZ:fuzz_%=$T/replay_%)
FUZZERS  = $(FUZZ:%=$(BUILD)/%)
STRESS   = $T/stress/truncate $T/stress/clock.so
PROGRAMS = $(UNIT) $(QUERY) $(REPLAY) $(BENCH) $(STRESS)

COMPILE = $(CC) $(FG_CPPFLAGS) $(CPPFLAGS) $(FG_CFLAGS) $(CFLAGS)
LINK    = $(FG_LDFLAGS) $(LDFLAGS)
RUN     = FROMGUARD=$(abspath $(PROGRAM)) BUILD=$(abspath $(BUILD)) tests/run
Q       = $(if $V,,@)
SAY     = @$(if $V,:,echo)

all: $(PROGRAM)

# Building ----------------------------------------------------------------

# Says which library is missing, before a hundred compilations that would not.
# Where deps is asked for as well, all building waits for it.
READY = $(BUILD)/ready
$(READY): | $(filter deps,$(MAKECMDGOALS))
	@sh tests/libraries.sh $(CC)
	@mkdir -p $(@D) && touch $@

$(PROGRAM): $(CMD_OBJ) $(LIBRARY)
	$(SAY) "  LINK  $@"
	$Q$(COMPILE) -o $@ $^ $(LINK) $(FG_LDLIBS)

$(LIBRARY): $(LIB_OBJ)
	$(SAY) "  AR    $@"
	@rm -f $@
	$Q$(AR) rcsD $@ $^

$(BUILD)/%.o: %.c | $(READY)
	$(SAY) "  CC    $<"
	@mkdir -p $(@D)
	$Q$(COMPILE) -MMD -MP -c -o $@ $<

# A test program: call TEST,options to compile,libraries
define TEST
$(SAY) "  TEST  $@"
@mkdir -p $(@D)
$Q$(COMPILE) -MMD -MP -MF $@.d -MT $@ $(1) -o $@ $(filter %.c %.o,$^) \
	$(LIBRARY) $(LINK) $(2) $(FG_LDLIBS)
endef

$T/test_%: tests/unit/test_%.c $(LIBRARY)
	$(call TEST,-Itests/unit $$(pkg-config --cflags check),$$(pkg-config --libs check))

$T/%: tests/parity/%.c $(LIBRARY)
	$(call TEST)

$T/bench/%: tests/bench/%.c $(LIBRARY)
	$(call TEST)

$T/replay_%: tests/fuzz/fuzz_%.c $(BUILD)/tests/fuzz/replay.o $(LIBRARY)
	$(call TEST)

$T/stress/%.so: tests/stress/%.c
	$(SAY) "  TEST  $@"
	@mkdir -p $(@D)
	$Q$(COMPILE) -fPIC -shared -o $@ $<

$T/stress/%: tests/stress/%.c $(LIBRARY)
	$(call TEST)

$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c $(LIBRARY)
	$(call TEST,-fsanitize=fuzzer)

# Testing -----------------------------------------------------------------

check: programs
	@$(RUN)
programs: $(PROGRAM) $(PROGRAMS)

unit: $(UNIT)
	@$(RUN) unit

fuzz-replay: $(REPLAY)
	@$(RUN) fuzz

layers:
	@sh tests/layers.sh

# The same suites under AddressSanitizer, LeakSanitizer and UBSan.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
check-san: | $(filter check,$(MAKECMDGOALS)) $(READY)
	@$(MAKE) BUILD=$(BUILD)/san CFLAGS="-O1 -g $(SANITIZE)" san-suites
san-suites: programs
	@ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
		$(RUN) unit golden integration fuzz

# rehearse on a mail log of a gigabyte, or SIZE bytes, against grep.
SIZE ?= 1073741824
rehearse-gigabyte: $(PROGRAM)
	@FROMGUARD=$(abspath $(PROGRAM)) python3 tests/bench/rehearse.py $(SIZE)

# The image, built twice by buildah and run: root, a few minutes, and so apart.
docker-check: | $(filter deps,$(MAKECMDGOALS))
	@$(RUN) docker

# Which lines and branches the suites run. Left out are branches of assert(),
# which no input takes, and the one line that ends us without memory.
coverage: | $(filter deps,$(MAKECMDGOALS)) $(READY)
	@$(MAKE) BUILD=$(BUILD)/coverage CFLAGS="-O0 -g --coverage" coverage-suites
coverage-suites: programs
	@find $(BUILD) -name '*.gcda' -delete
	@# The counts of all of it exist then, for other users to add to.
	@$(RUN) golden
	@find $(BUILD) -type d -exec chmod a+rwx {} + -o -name '*.gcda' \
		-exec chmod a+rw {} +
	@$(RUN) unit fuzz parity integration e2e
	@gcovr --root . --object-directory $(BUILD) --filter src/ --print-summary \
		--exclude-unreachable-branches --exclude-branches-by-pattern \
		'^\s*assert\(' --txt $(BUILD)/coverage.txt \
		--html-details $(BUILD)/coverage.html \
		--fail-under-line 95 --fail-under-branch 90
	@echo "see $(BUILD)/coverage.txt and .html"

# The loader's thread beside the server's.
check-tsan: | $(READY)
	@$(MAKE) BUILD=$(BUILD)/tsan CFLAGS="-O1 -g -fsanitize=thread" tsan-suites
tsan-suites: $(PROGRAM)
	@TSAN_OPTIONS=halt_on_error=1 $(RUN) golden integration

# Unit tests, seeds and the servers of the golden cases under memcheck.
check-valgrind: programs
	@FROMGUARD=$(abspath $(PROGRAM)) BUILD=$(abspath $(BUILD)) sh tests/valgrind.sh

# CASES pairs of login and sender, asked of Postfix's own check as well; SEED
# makes others.
differential: $(PROGRAM)
	@FROMGUARD=$(abspath $(PROGRAM)) CASES=$(or $(CASES),100000) \
		SEED=$(or $(SEED),1) python3 tests/differential/run.py

# Against a server that decides nothing, postfwd2 and Postfix itself, side by
# side; ONLY=? lists the rows.
bench: $(PROGRAM) $(BENCH)
	@FROMGUARD=$(abspath $(PROGRAM)) BUILD=$(abspath $(BUILD)) ONLY="$(ONLY)" \
		BIG=$(BIG) python3 tests/bench/run.py

# Reloads, restarts, kills and hostile neighbours, in the numbers promised; it
# takes a quarter of an hour. What it measures stays in build/stress.txt.
stress: programs
	@FROMGUARD=$(abspath $(PROGRAM)) BUILD=$(abspath $(BUILD)) \
		sh tests/stress/run.sh

# libFuzzer on every target, TIME seconds each; what it finds stays in
# build/fuzz/corpus.
fuzz: | $(READY)
	@$(MAKE) BUILD=$(BUILD)/fuzz CC=clang \
		CFLAGS="-O2 -g -fsanitize=fuzzer-no-link $(SANITIZE)" fuzzers
	@for f in $(FUZZ:fuzz_%=%); do sh tests/fuzz/run.sh \
		$(BUILD)/fuzz $$f $(TIME) || exit 1; done
fuzzers: $(FUZZERS)

# AFL++ from the same entries; what it finds stays in build/fuzz-afl/afl.
fuzz-afl: | $(filter deps,$(MAKECMDGOALS)) $(READY)
	@AFL_QUIET=1 $(MAKE) BUILD=$(BUILD)/fuzz-afl CC=afl-clang-fast \
		CFLAGS="-O2 -g $(SANITIZE)" fuzzers
	@for f in $(FUZZ:fuzz_%=%); do sh tests/fuzz/afl.sh \
		$(BUILD)/fuzz-afl $$f $(TIME) || exit 1; done

# What each target, on its seeds, runs of the sources that it is for.
fuzz-coverage: | $(READY)
	@$(MAKE) BUILD=$(BUILD)/fuzz-coverage CC=clang \
		CFLAGS="-O1 -g -fprofile-instr-generate -fcoverage-mapping" replays
	@sh tests/fuzz/coverage.sh $(BUILD)/fuzz-coverage $(FUZZ:fuzz_%=%)
replays: $(REPLAY)

# Analysers; nothing may be open.
lint: format
	@sh tests/lint.sh

format:
	@clang-format --dry-run --Werror \
		$(shell find src include tests -name '*.[ch]')

# The rest ----------------------------------------------------------------

deps:
	@sh tests/deps.sh $(filter-out deps,$(MAKECMDGOALS))

run: $(PROGRAM)
	@FROMGUARD=$(abspath $(PROGRAM)) BUILD=$(abspath $(BUILD)) \
		sh tests/demo.sh

# Where things go; packagers set these.
SBINDIR   ?= $(PREFIX)/sbin
MANDIR    ?= $(PREFIX)/share/man
DOCDIR    ?= $(PREFIX)/share/doc/fromguard
SHAREDIR  ?= $(PREFIX)/share
SYSCONFDIR ?= /etc
UNITDIR   ?= $(PREFIX)/lib/systemd/system
INSTALL   ?= install

MAN      = $(wildcard man/*.[1-8])
UNITS    = $(wildcard systemd/*.service systemd/*.socket)
DOCS     = README.md conf/docker-mailserver.conf
# To be copied from, below the documentation; recipes are programs.
EXAMPLES = $(wildcard systemd/examples/* conf/fail2ban/*/* conf/*.yml conf/*.json)
RECIPES  = $(wildcard conf/recipes/*)
RECIPEDIR = $(SHAREDIR)/fromguard/recipes
example  = n=$${f\#conf/}; n=$(DESTDIR)$(DOCDIR)/examples/$${n\#systemd/examples/}
# Where each shell looks for the completion of a program; bash by its name.
COMPLETIONS = bash-completion/completions/fromguard.bash \
	zsh/site-functions/_fromguard fish/vendor_completions.d/fromguard.fish
completion = $(SHAREDIR)/$(1:.bash=)
CONFIG   = $(DESTDIR)$(SYSCONFDIR)/fromguard/fromguard.conf

install: $(PROGRAM)
	$(INSTALL) -D -m 755 $(PROGRAM) $(DESTDIR)$(SBINDIR)/fromguard
	@for f in $(MAN); do $(INSTALL) -D -m 644 $$f \
		$(DESTDIR)$(MANDIR)/man$${f##*.}/$${f##*/} || exit 1; done
	@for f in $(UNITS); do $(INSTALL) -d $(DESTDIR)$(UNITDIR) && \
		sed 's|/usr/sbin/|$(SBINDIR)/|' $$f >$(DESTDIR)$(UNITDIR)/$${f##*/} && \
		chmod 644 $(DESTDIR)$(UNITDIR)/$${f##*/} || exit 1; done
	@for f in $(DOCS); do $(INSTALL) -D -m 644 $$f \
		$(DESTDIR)$(DOCDIR)/$${f##*/} || exit 1; done
	@for f in $(EXAMPLES); do $(example); \
		$(INSTALL) -D -m 644 $$f $$n || exit 1; done
	@for f in $(RECIPES); do mode=644; [ ! -x $$f ] || mode=755; \
		$(INSTALL) -D -m $$mode $$f \
		$(DESTDIR)$(RECIPEDIR)/$${f##*/} || exit 1; done
	@$(foreach c,$(COMPLETIONS),$(INSTALL) -D -m 644 conf/completions/$(notdir $c) \
		$(DESTDIR)$(call completion,$c) &&) :
	@if [ -e $(CONFIG) ]; then echo "kept: $(CONFIG)"; else \
		$(INSTALL) -v -D -m 644 conf/fromguard.conf $(CONFIG); fi

# The configuration stays.
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/fromguard
	@for f in $(MAN); do rm -fv $(DESTDIR)$(MANDIR)/man$${f##*.}/$${f##*/}; done
	@for f in $(UNITS); do rm -fv $(DESTDIR)$(UNITDIR)/$${f##*/}; done
	@for f in $(DOCS); do rm -fv $(DESTDIR)$(DOCDIR)/$${f##*/}; done
	@rm -fv $(foreach c,$(COMPLETIONS),$(DESTDIR)$(call completion,$c))
	@for f in $(EXAMPLES); do $(example); rm -fv $$n; done
	@for f in $(RECIPES); do rm -fv $(DESTDIR)$(RECIPEDIR)/$${f##*/}; done
	@find $(DESTDIR)$(DOCDIR) $(DESTDIR)$(SHAREDIR)/fromguard -type d -empty \
		-delete 2>/dev/null || :

# A tar file of what git has, the same bytes for the same commit.
DIST = fromguard-$(VERSION)
dist:
	@mkdir -p $(BUILD)
	git archive --format=tar --prefix=$(DIST)/ HEAD | gzip -n9 >$(BUILD)/$(DIST).tar.gz
	@echo $(BUILD)/$(DIST).tar.gz

deb: $(PROGRAM)
	+@sh conf/packaging/build.sh $(VERSION) $(BUILD)

clean:
	rm -rf $(BUILD)

help:
	@echo "make                  $(PROGRAM)"
	@echo "make run              start it on conf/sample and ask it three questions"
	@echo "make deps             bring libraries by package name (Debian, Ubuntu);"
	@echo "                      with check behind it, what the tests need as well"
	@echo "make check            every test; the last line counts them"
	@echo "make unit             the unit tests alone"
	@echo "make layers           who may include whom, and how long code may be"
	@echo "make docker-check     the image, built twice and run (buildah, root)"
	@echo "make differential [CASES=100000] [SEED=1]   against Postfix's own check"
	@echo "make bench [ONLY=rules,cpu] [BIG=1]   speed and memory against others"
	@echo "make rehearse-gigabyte [SIZE=bytes]   rehearse on such a mail log"
	@echo "make check-san        the suites under sanitizers, in $(BUILD)/san"
	@echo "make coverage         lines and branches that the suites run"
	@echo "make check-tsan       the server under ThreadSanitizer"
	@echo "make check-valgrind   unit tests, seeds and golden servers under memcheck"
	@echo "make lint             gcc -fanalyzer, clang-tidy, cppcheck, shellcheck"
	@echo "make stress [RELOADS=1000] ...   reloads, restarts, hostile neighbours"
	@echo "make fuzz-replay      every fuzz target on its seeds"
	@echo "make fuzz [TIME=60]   libFuzzer on every target (clang)"
	@echo "make fuzz-afl [TIME=60]   AFL++ on every target"
	@echo "make fuzz-coverage    what they run of the sources that they are for"
	@echo "make format           clang-format finds nothing to change"
	@echo "make install          into PREFIX ($(PREFIX)), below DESTDIR; uninstall"
	@echo "make deb              a Debian package, in $(BUILD)"
	@echo "make dist             a tar file of the committed tree, in $(BUILD)"
	@echo "make clean"
	@echo "WERROR=1 makes warnings errors, V=1 shows commands, CC and CFLAGS are yours."

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(PROGRAMS:=.d) $(FUZZERS:=.d)

.PHONY: all check programs unit fuzz-replay layers check-san san-suites \
	docker-check coverage coverage-suites check-tsan tsan-suites check-valgrind \
	lint differential bench rehearse-gigabyte stress fuzz fuzzers fuzz-afl \
	fuzz-coverage replays \
	format deps run install uninstall dist deb clean help
.DELETE_ON_ERROR:
