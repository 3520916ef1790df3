#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fuzz.sh PROGRAM FOLDER NAME: lets libFuzzer work for VIGIL_FUZZ_SECONDS (60) from the
# seeds of FOLDER/corpus/NAME.  Inputs that crash are kept in the folder it is run in.
set -eu
program=$1 seeds=$2/corpus/$3 dict=$2/$3.dict
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
set -- -max_total_time="${VIGIL_FUZZ_SECONDS:-60}" -max_len=65536 -rss_limit_mb=1024 \
    -print_final_stats=1 "-artifact_prefix=$PWD/$3-"
[ ! -f "$dict" ] || set -- "$@" "-dict=$dict"
"$program" "$@" "$found" "$seeds"
