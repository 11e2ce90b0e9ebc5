#!/usr/bin/env bash
# Every method of Host, in a program of its own made of the sanitized objects: build/berth-test. As root, as an unprivileged
# user; then the program's behaviour at its edges, its size and its time to start. Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p build/test/host
node_modules/.bin/esbuild test/native/host/main.ts --bundle --platform=neutral --format=esm --charset=ascii --target=es2023 \
    --outfile=build/test/host/test.js --log-level=warning
printf '%s\n' '#pragma once' 'struct global_option { const char *name; int takes_value; };' \
    'static const struct global_option global_options[] = {{"module", 1}, {0, 0}};' >build/test/host/globals.h
printf '%s\n' '#pragma once' '#include <stddef.h>' '#include <stdint.h>' '#include "test.c"' \
    'struct program { const char *name; const uint8_t *bytecode; size_t length; };' \
    'static const struct program programs[] = {{"help", program_test, sizeof(program_test)}, {"two-words", program_test, sizeof(program_test)},' \
    '    {"generator", program_test, sizeof(program_test)}, {"one", program_test, sizeof(program_test)}};' \
    'enum { PROGRAMS = sizeof(programs) / sizeof(programs[0]) };' >build/test/host/programs.h
exec packaging/build/in-tree.sh bash test/native/host-in-tree.sh
