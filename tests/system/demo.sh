#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ./run demo without a display: what it prints is held against demo-truth.txt, the boxes
# against demo-people.txt.
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

# The boxes of persons in a frame every ten seconds, with the settings of the demo (but that
# each of them is looked at): seconds, then left, top, right, bottom in pixels.
find_people() {
    vigil gst-launch-1.0 -m filesrc "location=$clip" ! decodebin ! videorate ! \
        video/x-raw,framerate=1/10 ! videoconvert ! \
        vigildetect post-messages=true "${settings[@]}" inference-interval=1 ! fakesink >"$work/messages"
    LC_ALL=C awk '
    function number(text, name) {
        match(text, name "=\\([a-z0-9]+\\)[^,]*")
        text = substr(text, RSTART, RLENGTH)
        sub(/^[^)]*\)/, "", text)
        return text
    }
    / vigil-detection,/ {
        gsub(/\\/, "")
        t = number($0, "stream-time") / 1e9
        n = split($0, object, "\"object,")
        for (i = 2; i <= n; i++)
            if (object[i] ~ /label=\(string\)person;/) {
                x = number(object[i], " x"); y = number(object[i], " y")
                print t, 768 * x, 576 * y, 768 * (x + number(object[i], " width")),
                    576 * (y + number(object[i], " height"))
            }
    }' "$work/messages" >"$work/boxes"
    grep -c . "$work/boxes"
}

# most_are_boxed SHARE OF-BOXES: of the people at least that share has a box of its own that
# shares 0.4 of both, and at least OF-BOXES of the boxes are somebody.
most_are_boxed() {
    LC_ALL=C awk -v share="$1" -v boxes="$2" '
    function min(a, b) { return a < b ? a : b }
    function max(a, b) { return a > b ? a : b }
    function area(b) { return (b[4] - b[2]) * (b[5] - b[3]) }
    function overlap(a, b,  w, h) {
        w = min(a[4], b[4]) - max(a[2], b[2]); h = min(a[5], b[5]) - max(a[3], b[3])
        return w > 0 && h > 0 ? w * h / (area(a) + area(b) - w * h) : 0
    }
    NR == FNR { if (!/^#/) { person[++n] = $0; known[$1] }; next }
    $1 in known {
        all++; best = 0.4; which = 0; split($0, box)
        for (i = 1; i <= n; i++) {
            split(person[i], p)
            if (p[1] == box[1] && !(i in taken) && overlap(p, box) >= best) {
                best = overlap(p, box); which = i
            }
        }
        if (which)
            taken[which]
    }
    END {
        for (i = 1; i <= n; i++)
            if (i in taken) hits++; else print "not boxed:", person[i]
        print hits, "of", n, "people in", all, "boxes"
        exit !(n >= 40 && hits >= share * n && hits >= boxes * all)
    }' "$here/demo-people.txt" "$work/boxes"
}

# The lines tell how many there are.
people_are_told() {
    LC_ALL=C awk '/^[0-9]+:[0-9.]+ frame: / { n++; told += /[0-9]+ person/ }
    END { print told, "of", n, "lines"; exit !(n > 30 && told >= 0.9 * n) }' "$work/printed"
}

is_webm() {
    [ "$(od -An -tx1 -N4 "$1" | tr -d ' ')" = 1a45dfa3 ] && [ "$(stat -c %s "$1")" -gt 500000 ]
}

is_png() {
    [ "$(od -An -tx1 -N24 "$1" | tr -d ' \n')" = 89504e470d0a1a0a0000000d494844520000030000000240 ]
}

clip=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/gst-vigil/vtest.avi
[ -f "$clip" ] || skip_all "the clip is not in $clip: ./run demo fetches it"

# shellcheck source=../../plugin/tools/demo.sh
settings=($(. "$here/../../plugin/tools/demo.sh" && printf '%s\n' "${clip_detection[@]}"))

ok "the demo plays" play
ok "it tells of people" people_are_told
ok "demo.webm is written" is_webm "$build/demo/demo.webm"
ok "demo.png has the size of the clip, 768x576" is_png "$build/demo/demo.png"
ok "its settings find people" find_people
ok "most of the people in view are boxed" most_are_boxed 0.7 0.8
ok "the demo of classification plays" play --task classify
answers >"$work/answers"
ok "a person is called one" right person
ok "empty ground is not called a person" right empty
ok "hardly anything else is named" nothing_else
ok "the demo of segmentation plays" play --task segment --seconds 15
ok "most of the campus is road and green" surfaces
done_testing
