# The C half of the build. Runs inside the Debian 13 tree, from the top of the checkout:
#   make -f packaging/build/native.mk [SANITIZE=1] VERSION=…
# build.ts has written build/programs/NAME.js, $(O)/programs.h, $(O)/programs.mk and build/globals.h before.

VERSION ?= 0
comma := ,
SOURCES := $(wildcard native/*.c)
PROBING := $(wildcard native/tiny/relay-probe*.c)
FILING := $(wildcard native/tiny/relay-file*.c)
STAYING := $(wildcard native/tiny/relay*.c)
TINY_SOURCES := $(filter-out $(STAYING),$(wildcard native/tiny/*.c))
RELAY_SOURCES := $(filter-out $(PROBING) $(FILING),$(STAYING)) native/tiny/main.c native/tiny/start.c native/tiny/text.c
TINY_HEADERS := $(wildcard native/tiny/*.h native/*.h)

CC := gcc
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla
# -iquote: native/seccomp.h must not stand in for <seccomp.h>.
COMMON = -std=gnu17 -g -D_GNU_SOURCE -DBERTH_VERSION='"$(VERSION)"' -iquote native -iquote build -iquote $(O) $(WARNINGS) -ffile-prefix-map=/mnt/=

ifdef SANITIZE
O := build/asan
PROGRAM := build/berth-asan
CFLAGS := $(COMMON) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS := -fsanitize=address,undefined
else
O := build/obj
PROGRAM := dist/berth
CFLAGS := $(COMMON) -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections
# Nothing of ours is unwound; the start files of a static program would walk all tables for that at each start (native/main.c).
LDFLAGS := -static -Wl,--gc-sections,--build-id=none,--wrap=__register_frame_info,--wrap=__deregister_frame_info -s
endif

include $(O)/programs.mk

# The tiny programs: no libc, no start files, small segments. What stays in memory beside a container (relay, holder) is
# one of its own: the kernel maps all of a small program's pages when one is touched.
TINY_CFLAGS := -std=gnu17 -D_GNU_SOURCE -iquote native -iquote native/tiny $(WARNINGS) -Os -ffreestanding -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident -fomit-frame-pointer -fcf-protection=none \
	-fno-pie -fno-tree-loop-distribute-patterns -ffunction-sections -fdata-sections -mgeneral-regs-only
TINY_LDFLAGS := -nostdlib -static -no-pie -s -Wl,--gc-sections,--build-id=none,-z,noseparate-code,-z,max-page-size=4096,-z,noexecstack,-z,nosectionheader

QUICKJS := /usr/lib/x86_64-linux-gnu/quickjs/libquickjs.a
LIBS := $(QUICKJS) -Wl,-Bstatic -lseccomp -lzstd -lz -lnettle $(if $(SANITIZE),-Wl$(comma)-Bdynamic) -lm -lpthread -ldl

# The program with sanitizers reads the base's bytecode at its start; dist/berth has the heap that comes of it (native/engine-image.h).
BASE := $(if $(SANITIZE),$(O)/programs/base.o,$(O)/image/heap.o)
IMAGE_LDFLAGS := -Wl,-T,packaging/build/heap-image.ld
OBJECTS := $(SOURCES:native/%.c=$(O)/%.o) $(PROGRAMS:%=$(O)/programs/%.o) $(if $(TINY_SOURCES),$(O)/tiny-image.o) $(O)/seccomp-default.o

all: $(PROGRAM) $(if $(SANITIZE),,dist/ask dist/ports)
.PHONY: all
.SECONDARY:
.DELETE_ON_ERROR:

$(PROGRAM): $(OBJECTS) $(BASE) packaging/build/heap-image.ld
	@echo "  LD $@"
	@$(CC) $(LDFLAGS) $(if $(SANITIZE),,$(IMAGE_LDFLAGS)) -o $@.part $(OBJECTS) $(BASE) $(LIBS)
	@$(if $(SANITIZE),,for section in .text .rodata .data.rel.ro .data; do \
		objcopy -O binary -j $$section $(O)/image/berth $(O)/image/before; \
		objcopy -O binary -j $$section $@.part $(O)/image/after; \
		cmp $(O)/image/before $(O)/image/after || exit 1; \
	done)
	@mv $@.part $@

# The program itself makes its heap image, linked with an empty one that has all the room there is: both must have everything else at
# the same addresses, and what libc allocates lies behind it, wherever the kernel puts that.
IMAGE_SIZE := $(shell sed -n 's/.*ENGINE_IMAGE_SIZE = \(.*\),/\1/p' native/engine-image.h)
$(O)/image/berth: $(OBJECTS) packaging/build/heap-image.ld | $(O)/image
	@echo '.section .heap_image, "aw", @progbits; .global engine_image; engine_image: .zero $(IMAGE_SIZE); .section .note.GNU-stack,"",@progbits' \
		| $(CC) -x assembler -c -o $@.o -
	@$(CC) $(LDFLAGS) $(IMAGE_LDFLAGS) -o $@ $(OBJECTS) $@.o $(LIBS)

$(O)/image/heap: $(O)/image/berth $(O)/programs/base.bytecode
	@echo "  HEAP $@"
	@bash -c 'exec -a berth-heap-image $(O)/image/berth $(O)/programs/base.bytecode $@'

$(O)/image/heap.o: $(O)/image/heap
	@echo '.section .heap_image, "aw", @progbits; .global engine_image; engine_image: .incbin "$<"; .section .note.GNU-stack,"",@progbits' \
		| $(CC) -x assembler -c -o $@ -

$(O)/left-out.o: CFLAGS += -fno-builtin

# No start waits for these, or only for the kernel's part of them, and no pull for long: small rather than fast.
SMALL := layer-binding layer-export layer-pax layer-recipe layer-remove layer-userns layer host-facts host-split host-kernel host-processes host-sockets \
	seccomp-compile transfer tty engine-record apart host host-tree host-text launch process main
$(SMALL:%=$(O)/%.o): CFLAGS += -Os

$(O)/%.o: native/%.c packaging/build/native.mk | $(O)
	@echo "  CC $<"
	@$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/programs/%.o: build/programs/%.c packaging/build/native.mk | $(O) $(O)/programs
	@$(CC) $(COMMON) -O0 -g0 -fdata-sections -c -o $@ $<

# The bytes of the array alone.
$(O)/programs/%.bytecode: $(O)/programs/%.o
	@objcopy -O binary -j .rodata.program_$(subst -,_,$*) $< $@

# Modules (-m, see bundle.ts), without names of variables and line numbers (-s), which every start would have to read.
# qjsc writes the array and its size; the size becomes a constant of its own, so that a table can be initialised with it.
build/programs/%.c: build/programs/%.js
	@echo "  QJSC $<"
	@cd build/programs && qjsc -c -m -s -M base.js -N program_$(subst -,_,$*) -o $*.c $*.js
	@sed -n 's/^const uint32_t program_\(.*\)_size = \([0-9]*\);/#define PROGRAM_LENGTH_\1 \2/p' $@ > build/programs/$*.length.h

build/programs/%.length.h: build/programs/%.c ;

$(O)/programs.o: $(PROGRAMS:%=build/programs/%.c) build/programs/base.c

# What asks a registry without Node: linked with the system's OpenSSL at run time, which Node needs, too (native/ask/ask.c).
dist/ask: $(wildcard native/ask/*.c native/ask/*.h) packaging/build/native.mk
	@echo "  CC $@"
	@$(CC) $(COMMON) -iquote native/ask -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -pie -s -Wl,-z,relro,-z,now,--build-id=none \
		-o $@ $(filter %.c,$^) -lssl -lcrypto

# What carries the published ports of an account's networks (native/ports/main.c): one process for each container that has some.
dist/ports: $(wildcard native/ports/*.c native/ports/*.h) packaging/build/native.mk
	@echo "  CC $@"
	@$(CC) $(COMMON) -iquote native/ports -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -static-pie -s -Wl,-z,relro,-z,now,--build-id=none \
		-o $@ $(filter %.c,$^)

# The reaper alone, which the stage carries (native/tiny/stage-init.c).
build/init: native/tiny/init.c native/tiny/start.c native/tiny/text.c $(TINY_HEADERS) packaging/build/native.mk
	@$(CC) $(TINY_CFLAGS) -DBERTH_INIT $(TINY_LDFLAGS) -o $@ $(filter %.c,$^)

# What a pod's namespaces cost: a page of code (native/tiny/stage-init.c).
build/holder: native/tiny/holder.c native/tiny/start.c native/tiny/text.c $(TINY_HEADERS) packaging/build/native.mk
	@$(CC) $(TINY_CFLAGS) -DBERTH_HOLDER $(TINY_LDFLAGS) -o $@ $(filter %.c,$^)

build/tiny: build/init build/holder $(TINY_SOURCES) $(TINY_HEADERS) packaging/build/native.mk
	@echo "  TINY $@"
	@$(CC) $(TINY_CFLAGS) $(TINY_LDFLAGS) -o $@ $(TINY_SOURCES)

build/relay: $(RELAY_SOURCES) $(TINY_HEADERS) packaging/build/native.mk
	@echo "  TINY $@"
	@$(CC) $(TINY_CFLAGS) -Oz $(TINY_LDFLAGS) -o $@ $(RELAY_SOURCES)

# With readiness and health checks it is twice as long: only who has some pays for it.
build/prober: $(RELAY_SOURCES) $(PROBING) $(TINY_HEADERS) packaging/build/native.mk
	@echo "  TINY $@"
	@$(CC) $(TINY_CFLAGS) -Oz -DBERTH_PROBES $(TINY_LDFLAGS) -o $@ $(RELAY_SOURCES) $(PROBING)

# Beside a log of its own (LogDriver=k8s-file), with or without checks.
build/filer: $(RELAY_SOURCES) $(PROBING) $(FILING) $(TINY_HEADERS) packaging/build/native.mk
	@echo "  TINY $@"
	@$(CC) $(TINY_CFLAGS) -Oz -DBERTH_PROBES -DBERTH_FILES $(TINY_LDFLAGS) -o $@ $(RELAY_SOURCES) $(PROBING) $(FILING)

$(O)/tiny-image.o: build/tiny build/relay build/prober build/filer | $(O)
	@for name in tiny relay prober filer; do \
		printf '.section .rodata\n.balign 16\n.global %s_image, %s_image_end\n' $$name $$name; \
		printf '%s_image: .incbin "build/%s"\n%s_image_end: .byte 0\n' $$name $$name $$name; \
		printf '.section .note.GNU-stack,"",@progbits\n'; \
	done | $(CC) -x assembler -c -o $@ -

# The default seccomp profiles are compiled here, in the order of src/plan/built-in-seccomp.ts, so that no start pays for it.
build/seccomp-default: packaging/build/seccomp-default.c packaging/build/seccomp-shorter.c packaging/build/seccomp-shorter.h native/seccomp-compile.c native/seccomp-compile.h native/error.c
	@$(CC) $(COMMON) -O1 -o $@ $(filter %.c,$^) $(QUICKJS) -lseccomp -lm -lpthread -ldl

SECCOMP_PROFILES := build/seccomp.json build/seccomp-no-chroot.json

build/seccomp-default.c: build/seccomp-default $(SECCOMP_PROFILES)
	@echo "  SECCOMP $@"
	@build/seccomp-default $(SECCOMP_PROFILES) > $@.part && mv $@.part $@

$(O)/seccomp-default.o: build/seccomp-default.c | $(O)
	@$(CC) $(COMMON) -c -o $@ $<

$(O) $(O)/programs $(O)/image:
	@mkdir -p $@

-include $(wildcard $(O)/*.d)
