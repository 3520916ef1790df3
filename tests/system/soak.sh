#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two streams for VIGIL_SOAK_SECONDS (300): memory must not grow.
. "$(dirname "$0")/tap.bash"

seconds=${VIGIL_SOAK_SECONDS:-300}
stream=(videotestsrc pattern=ball ! "video/x-raw,format=NV12,width=320,height=240" !
    vigilclassify input-size=64x64 "regions=0,0,0.5,1;0.5,0,0.5,1" ! vigiloverlay ! fakesink)

# Two streams until they are interrupted; the process tells its id.
streams() {
    # shellcheck disable=SC2016
    vigil sh -c 'echo $$ >"$0" && exec gst-launch-1.0 -e "$@"' "$work/pid" \
        "${stream[@]}" "${stream[@]}" >"$work/said" 2>&1
}

# Resident kilobytes, once a second.
watch_memory() {
    local i
    for ((i = 0; i < seconds; i++)); do
        sleep 1
        sed -n 's/^VmRSS: *\([0-9]*\).*/\1/p' "/proc/$1/status" || return 1
    done
}

# The medians of the second and of the last quarter, in kilobytes.
level() {
    awk -v from="$1" -v to="$2" '{ v[NR] = $1 }
        END { for (i = int(NR * from) + 1; i <= NR * to; i++) print v[i] }' "$work/memory" |
        sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

flat() {
    local early late
    early=$(level 0.25 0.5) late=$(level 0.75 1)
    echo "resident: $early kB in the second quarter, $late kB in the last"
    [ "$((late - early))" -le 1024 ]
}

streams &
job=$!
for ((i = 0; i < 60 && ! $(cat "$work/pid" 2>/dev/null || echo 0); i++)); do sleep 1; done
pid=$(cat "$work/pid")
watch_memory "$pid" >"$work/memory" || true
ok "the streams run for $seconds s" test "$(wc -l <"$work/memory")" = "$seconds"
kill -INT "$pid" || true
ok "and end when they are interrupted" wait "$job"
ok "memory does not grow by more than 1 MB" flat
done_testing
