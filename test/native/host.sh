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
printf '%s\n' '#pragma once' '#include "program-table.h"' '#include "test.c"' \
    '#define ROW(name) {name, program_test, sizeof(program_test), false}' \
    'const struct program base_program = ROW("base");' \
    'static const struct program programs[] = {ROW("help"), ROW("two-words"), ROW("generator"), ROW("one")};' \
    'enum { PROGRAMS = sizeof(programs) / sizeof(programs[0]) };' >build/test/host/programs.h
exec packaging/build/in-tree.sh bash test/native/host-in-tree.sh
