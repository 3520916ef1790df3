# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# For test scripts that print TAP: SCRIPT BUILD-FOLDER.  $work is a folder of the test's
# own, removed at its end; `vigil COMMAND...` runs in the environment of the build.
set -euo pipefail

build=$(realpath "$1")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cases=0 failures=0

# ok NAME COMMAND...: one case; the end of what the command printed is told, too.
ok() {
    local name=$1
    shift
    cases=$((cases + 1))
    if "$@" >"$work/output" 2>&1; then
        echo "ok $cases - $name"
    else
        echo "not ok $cases - $name"
        failures=$((failures + 1))
    fi
    tail -n 30 "$work/output" | sed 's/^/# /'
}

skip() {
    cases=$((cases + 1))
    echo "ok $cases # SKIP $1"
}

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

done_testing() {
    echo "1..$cases"
    exit $((failures > 0))
}

vigil() {
    GST_REGISTRY=$work/registry.bin meson devenv -C "$build" -w "$work" "$@"
}
