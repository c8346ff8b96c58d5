# SPDX-License-Identifier: BSD-2-Clause
#
# make             build/fromguard
# make check       every test; the last line counts them
# make help        all targets

VERSION = 0.1.0
BUILD  ?= build
CC     ?= cc
AR     ?= ar
CFLAGS ?= -O2 -g

LIBS = libevent_core libpcre2-8 libidn2
FG_CPPFLAGS = -D_GNU_SOURCE -Iinclude -DFROMGUARD_VERSION='"$(VERSION)"' \
	-DPCRE2_CODE_UNIT_WIDTH=8 $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
FG_CFLAGS = -std=c11 -pthread -fno-common -fstack-protector-strong -fPIE \
	-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wvla -Wformat=2 \
	-Wpointer-arith -Wwrite-strings -Wundef $(if $(WERROR),-Werror)
FG_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now
FG_LDLIBS = $(shell pkg-config --libs $(LIBS) 2>/dev/null) -lcdb -lunistring

LIB_SRC  = $(wildcard src/base/*.c src/wire/*.c src/maps/*.c src/policy/*.c \
	src/server/*.c)
CMD_SRC  = $(wildcard src/cmd/*.c)
LIB_OBJ  = $(LIB_SRC:%.c=$(BUILD)/%.o)
CMD_OBJ  = $(CMD_SRC:%.c=$(BUILD)/%.o)
LIBRARY  = $(BUILD)/libfromguard.a
PROGRAM  = $(BUILD)/fromguard
UNIT     = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

COMPILE = $(CC) $(FG_CPPFLAGS) $(CPPFLAGS) $(FG_CFLAGS) $(CFLAGS)
LINK    = $(CC) $(FG_CFLAGS) $(CFLAGS) $(FG_LDFLAGS) $(LDFLAGS)

all: $(PROGRAM)

$(PROGRAM): $(CMD_OBJ) $(LIBRARY)
	$(LINK) -o $@ $^ $(FG_LDLIBS)

$(LIBRARY): $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(COMPILE) -Itests/unit -MMD -MP $(shell pkg-config --cflags check) -o $@ $< \
		$(LIBRARY) $(FG_LDFLAGS) $(LDFLAGS) $(FG_LDLIBS) \
		$(shell pkg-config --libs check)

unit: $(UNIT)
	@for t in $(UNIT); do $$t || exit 1; done

clean:
	rm -rf $(BUILD)

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(UNIT:=.d)

.PHONY: all unit clean
