# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ./run test: each step counts as one case, each run of the suite as its cases.

passed=0 failed=0 skipped=0
skips=()

# shellcheck source=tests/emulated.sh
. tests/emulated.sh
# shellcheck source=tests/debian13.sh
. tests/debian13.sh

announce() {
    started=$SECONDS
    printf '%-44s ' "$1 ..."
}

# step NAME COMMAND...
step() {
    local name=$1 log
    shift
    log=${name,,} log=build/logs/${log//[^a-z0-9]/-}.log
    announce "$name"
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok ($((SECONDS - started)) s)"
    else
        failed=$((failed + 1))
        echo "FAILED, the end of $log:"
        tail -n 60 "$log"
        return 1
    fi
}

meson_test=(meson test --no-rebuild)

# cases NAME FOLDER [MESON ARGUMENT...]: runs the tests of a build.
cases() {
    local name=$1 folder=$2 log count outcome rest p f s
    shift 2
    log=${name,,} log=build/logs/${log//[^a-z0-9]/-}.log
    announce "$name"
    rm -f "$folder"/meson-logs/testlog*.json
    "${meson_test[@]}" -C "$folder" --print-errorlogs --timeout-multiplier 3 "$@" \
        >"$log" 2>&1 || true
    if ! count=$(tests/count.py "$folder"/meson-logs/testlog*.json 2>>"$log"); then
        failed=$((failed + 1))
        echo "FAILED: no test ran, the end of $log:"
        tail -n 40 "$log"
        return
    fi
    read -r p f s <<<"${count##*$'\n'}"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    echo "$p passed, $f failed, $s skipped ($((SECONDS - started)) s)"
    while read -r outcome rest; do
        case $outcome in
        FAIL) echo "FAIL $rest" ;;
        SKIP) skips+=("$name: $rest") ;;
        esac
    done <<<"$count"
    [ "$f" = 0 ] || { echo "From $log:" && grep -vE ' (OK|SKIP)  |^\[[0-9]+/' "$log" | tail -n 100; }
}

# What is tracked; everything where there is no repository.
c_files() {
    if git ls-files --error-unmatch models/vigil.h >/dev/null 2>&1; then
        git ls-files -z -- '*.c' '*.h'
    else
        find . -path ./build -prune -o -name '*.[ch]' -print0
    fi
}

format() {
    c_files | xargs -0 clang-format-19 --dry-run -Werror
}

# By clang, with the fuzz targets: one build for three purposes.  The inner loops of other
# levels take minutes to compile with sanitizers; their tests have guard pages anyway.
build_with_sanitizers() {
    local levels=()
    [ "$all" = yes ] || levels=(-Dlevels=avx2,neon)
    build build/sanitizers --buildtype=plain --optimization=1 "${levels[@]}" \
        -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true \
        -Dintrospection=disabled "-Dc_args=-g1 -fno-sanitize-recover=undefined"
}

with_sanitizers() {
    ASAN_OPTIONS=detect_stack_use_after_return=1:fast_unwind_on_malloc=0:malloc_context_size=12 \
        UBSAN_OPTIONS=print_stacktrace=1 \
        LSAN_OPTIONS="suppressions='$PWD/tests/lsan.supp':print_suppressions=0" \
        GST_REGISTRY_FORK=no cases "suite with sanitizers" build/sanitizers "$@"
}

# fuzz SECONDS, shared by the targets.
fuzz() {
    local targets
    mapfile -t targets < <(ninja -C build/sanitizers -t targets all |
        sed -n 's,^tests/fuzz/\(fuzz-[a-z0-9_]*\):.*,\1,p')
    VIGIL_FUZZ_SECONDS=$(($1 / ${#targets[@]})) cases "fuzzing for $1 s" build/sanitizers \
        "${targets[@]}"
}

summary() {
    local reason
    echo
    for reason in "${skips[@]}"; do
        echo "SKIPPED $reason"
    done
    echo "The whole took $((SECONDS / 60)) min $((SECONDS % 60)) s."
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

suite() {
    local quick=(--no-suite slow) small=(--no-suite whole) fuzz_seconds=60
    [ "$all" = no ] || quick=() small=() fuzz_seconds=600
    need "to build" "${packages_build[@]}"
    need "to play" "${packages_play[@]}"
    need "to test" "${packages_test[@]}"
    if can_emulate; then
        need "to test on emulated processors" "${packages_emulated[@]}"
    fi
    if pkg-config --atleast-version=1.24 gstreamer-1.0; then
        need "to test the mirror into GstAnalytics" "${packages_analytics[@]}"
    fi
    if wants_debian13; then
        need "to test on Debian 13" "${packages_debian13[@]}"
    fi
    mkdir -p build/logs
    fetch_clip || echo "The clip of the demo is not there: its test will be skipped."

    begin_debian13
    step "format" format || true
    if CC=gcc step "build with gcc" build build/gcc; then
        cases "suite with gcc" build/gcc "${quick[@]}"
    fi
    emulated
    debian13
    # Of all levels; warnings do not depend on what is optimised.
    CC=clang-19 step "build the inner loops with clang" build build/clang \
        -Dparts=kernels --optimization=0 || true
    if CC=clang-19 step "build with clang and sanitizers" build_with_sanitizers; then
        with_sanitizers --no-suite fuzzing --no-suite system --no-suite levels \
            "${small[@]}" "${quick[@]}"
        fuzz $fuzz_seconds
    fi
    summary
}
