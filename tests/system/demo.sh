#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ./run demo without a display: what it prints is held against demo-truth.txt.
# shellcheck source-path=SCRIPTDIR source=tap.bash
. "$(dirname "$0")/tap.bash"

run=$here/../../run

play() {
    env -u DISPLAY -u WAYLAND_DISPLAY VIGIL_BUILD="$build" "$run" demo --no-install "$@" \
        >"$work/printed"
}

# Each line of the truth with the class that was last printed for its place by then.
answers() {
    LC_ALL=C awk '
    NR == FNR && /^[0-9]+:[0-9.]+ / {
        split($1, t, ":")
        n++; when[n] = t[1] * 60 + t[2]; place[n] = $2; label[n] = $3
    }
    NR != FNR && !/^#/ {
        said = "nothing"
        for (i = 1; i <= n && when[i] <= $2 + 0.01; i++)
            if (place[i] == $1 ":")
                said = label[i]
        print $1, $2, $3, said
    }' "$work/printed" "$here/demo-truth.txt"
}

# right KIND: at least nine in ten of the places that hold KIND were told right.
right() {
    grep " $1 " "$work/answers" | LC_ALL=C awk -v kind="$1" '
    {
        good = kind == "person" ? $4 == "person" : $4 != "person" && $4 != "nothing"
        if (!good)
            print "wrong:", $0
        all++; n += good
    }
    END { print n, "of", all; exit !(all >= 25 && n >= 0.9 * all) }'
}

# At most one line in ten names a thing that is not in the clip.
nothing_else() {
    LC_ALL=C awk '/^[0-9]+:[0-9.]+ / { n++; other += $3 != "person" && $3 != "empty_other" }
    END { print other, "of", n, "lines"; exit !(n > 50 && other <= 0.1 * n) }' "$work/printed"
}

# Each line names both; there may be few lines, as hardly anything changes.
surfaces() {
    LC_ALL=C awk '/^[0-9]+:[0-9.]+ frame: / { n++; good += / road / && / tree / }
    END { print good, "of", n, "lines"; exit !(n > 0 && good >= 0.9 * n) }' "$work/printed"
}

is_webm() {
    [ "$(od -An -tx1 -N4 "$1" | tr -d ' ')" = 1a45dfa3 ] && [ "$(stat -c %s "$1")" -gt 500000 ]
}

is_png() {
    [ "$(od -An -tx1 -N24 "$1" | tr -d ' \n')" = 89504e470d0a1a0a0000000d494844520000030000000240 ]
}

clip=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/gst-vigil/vtest.avi
[ -f "$clip" ] || skip_all "the clip is not in $clip: ./run demo fetches it"

ok "the demo plays" play
answers >"$work/answers"
ok "a person is called one" right person
ok "empty ground is not called a person" right empty
ok "hardly anything else is named" nothing_else
ok "demo.webm is written" is_webm "$build/demo/demo.webm"
ok "demo.png has the size of the clip, 768x576" is_png "$build/demo/demo.png"
ok "the demo of segmentation plays" play --task segment --seconds 15
ok "most of the campus is road and green" surfaces
done_testing
