#!/usr/bin/env bash
# Installs the packages of package.json when one of them is missing: a checkout that got a new one by an update works at once.
set -euo pipefail
cd "$(dirname "$0")/../.."
missing() {
    node -e '
        const { dependencies, devDependencies } = require("./package.json");
        const absent = name => !require("node:fs").existsSync(`node_modules/${name}/package.json`);
        process.exit(Object.keys({ ...dependencies, ...devDependencies }).some(absent) ? 0 : 1);'
}
if missing; then
    mkdir -p build
    exec 9>build/.modules.lock
    flock 9 # a build and a test at once install once
    ! missing || npm ci --no-audit --no-fund >&2
fi
