# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ./run demo; sourced by ./run after it has read the options.  VIGIL_BUILD names a build
# folder to take instead of building one, for the tests.

# The default clip: one file of a Debian package, 768x576, 80 s.
clip=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/gst-vigil/vtest.avi
clip_package=opencv-doc
clip_member=./usr/share/doc/opencv-doc/examples/data/vtest.avi
clip_sha256=45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf
# Places on people's way, which one person about fills.
clip_regions="path=0.340,0.332,0.046,0.160; post=0.574,0.318,0.046,0.160;"
clip_regions+=" kerb=0.829,0.519,0.052,0.200; gate=0.934,0.420,0.052,0.182"
# People are small in the clip: parts of it are looked at on their own.  Tripods and cones are no
# animals.
clip_detection=(threshold=0.3 class-thresholds=animal=0.45 tiles=3x3 inference-interval=5)
# For what the shipped detector says of other sources.
detection=(threshold=0.3 class-thresholds=animal=0.45)
# Pictures a second, chosen for the one that is kept: at 60 s six people are there; at 47.3 s
# two of the places are taken and two are empty.
clip_picture_rate=1/30
clip_places_picture_rate=10/473

clip_is_right() {
    [ -f "$1" ] && echo "$clip_sha256  $1" | sha256sum --check --status
}

download_package() {
    apt-get -q download "$clip_package" >>apt.log 2>&1
}

# Leaves the clip at $clip.  In a process of its own, as it changes the folder.
fetch_clip() (
    ! clip_is_right "$clip" || exit 0
    command -v apt-get >/dev/null || die "there is no apt to get the clip with: give a --source"
    echo "Getting the clip: vtest.avi of Debian's package $clip_package (98 MB, once)"
    mkdir -p "${clip%/*}" && work=$(mktemp -d -p "${clip%/*}") || die "cannot write to ${clip%/*}"
    trap 'rm -rf "$work"' EXIT
    cd "$work" || exit
    if ! download_package; then
        [ "$install" = no ] || (cd "$OLDPWD" && apt_get update) || true
        download_package || {
            cat apt.log >&2
            die "could not download the package $clip_package: give a --source"
        }
    fi
    dpkg-deb --fsys-tarfile "$clip_package"_*.deb | tar -xO "$clip_member" >vtest.avi
    clip_is_right vtest.avi || die "vtest.avi of $clip_package has an unknown checksum"
    mv vtest.avi "$clip"
)

# add WORD...: to the pipeline, an array of what gst-launch takes.
add() {
    pipeline+=("$@")
}

add_source() {
    case $1 in
    /dev/video*) add vigilcamerasrc "camera=$1" ;;
    *://*) add uridecodebin "uri=$1" ;;
    *)
        [ -r "$1" ] || die "cannot read the source '$1'"
        add filesrc "location=$1" ! decodebin
        ;;
    esac
}

# The first sink that can open a window; fails where there is none.
window_sink() {
    local sink sinks=()
    [ -z "${WAYLAND_DISPLAY:-}" ] || sinks+=(waylandsink)
    [ -z "${DISPLAY:-}" ] || sinks+=(xvimagesink ximagesink)
    for sink in "${sinks[@]}"; do
        if timeout 10 gst-launch-1.0 -q fakesrc num-buffers=0 ! "$sink" >/dev/null 2>&1; then
            echo "$sink"
            return
        fi
    done
    return 1
}

# The whole as WebM, and the last three of a picture now and then.
add_files() {
    local rate=1/2
    [ -n "$source" ] || rate=$clip_picture_rate
    add tee name=t \
        t. ! queue ! videoconvert ! \
        vp8enc deadline=1 cpu-used=16 threads=1 target-bitrate=1500000 ! webmmux ! \
        filesink "location=$folder/demo.webm" \
        t. ! queue ! videorate ! "video/x-raw,framerate=$rate" ! \
        videoconvert ! pngenc compression-level=1 ! \
        multifilesink max-files=3 "location=$folder/picture-%04d.png"
}

# Reads what gst-launch -m prints.  Writes a line when what a place shows has changed and
# stayed so for a fifth of a second: half a person who walks in may look like anything.  How
# many objects there are changes all the time; that is told once a second.
print_changes() {
    LC_ALL=C awk '
    function field(text, name) {
        if (!match(text, "[ ,]" name "=\\([a-z0-9]+\\)(\"[^\"]*\"|[^,;]*)"))
            return ""
        text = substr(text, RSTART, RLENGTH)
        sub(/^[^)]*\)/, "", text)
        gsub(/["\\]/, "", text)
        return text
    }
    function label_of(text,  label) {
        label = field(text, "label")
        if (label == "")
            label = field(text, "index") == "" ? "nothing" : "class " field(text, "index")
        return label
    }
    # The structures "name" of the message, without what protects their commas.
    function items(name, item,  text) {
        text = $0
        gsub(/\\/, "", text)
        return split(text, item, "\"" name ",") - 1
    }
    # What is there, in the order in which it came up first: "2 person, 1 vehicle".
    function objects(  item, n, i, label, count, order, k, text) {
        n = items("object", item)
        for (i = 2; i <= n + 1; i++) {
            label = label_of(item[i])
            if (!count[label]++)
                order[++k] = label
        }
        for (i = 1; i <= k; i++)
            text = text (i > 1 ? ", " : "") count[order[i]] " " order[i]
        return k ? text : "nothing"
    }
    # The three classes with the most pixels; sets `shown`, which tells their shares.
    function classes(  item, n, i, text) {
        n = items("class", item)
        shown = ""
        for (i = 2; i <= n + 1 && i <= 4; i++) {
            text = text label_of(item[i]) " "
            shown = shown (i > 2 ? ", " : "") label_of(item[i]) \
                sprintf(" %.0f %%", 100 * field(item[i], "share"))
        }
        return text
    }
    function tell(place) {
        printf "%02d:%04.1f %s: %s\n", int(since[place] / 60), since[place] % 60,
            place, line[place]
        fflush()
        told[place] = seen[place]
    }
    /^Got message .*\(element\): vigil-(classification|detection|segmentation),/ {
        place = field($0, "region-name")
        if (place == "")
            place = field($0, "region-index") < 0 ? "frame" : "region " field($0, "region-index") + 1
        if ($0 ~ /vigil-detection,/) {
            place = "frame"
            what = shown = objects()
        } else if ($0 ~ /vigil-segmentation,/) {
            what = classes()
        } else {
            what = label_of($0)
            shown = what sprintf(" %.2f", field($0, "score"))
        }
        t = field($0, "stream-time") / 1e9
        if (!(place in seen) || seen[place] != what) {
            seen[place] = what
            since[place] = t
        }
        line[place] = shown
        if (/vigil-detection,/)
            calm = !(place in told) || t >= since[place, "told"] + 1
        else
            calm = t >= since[place] + 0.199
        if (told[place] != what && calm) {
            since[place, "told"] = t
            tell(place)
        }
    }
    END {
        for (place in seen)
            if (told[place] == "")
                tell(place)
    }'
}

# The command as one would type it.
show_pipeline() {
    local word
    printf 'gst-launch-1.0 -e -m'
    for word in "${pipeline[@]}"; do
        case $word in
        *[!A-Za-z0-9_./:=,%+!-]*) printf " '%s'" "${word//\'/\'\\\'\'}" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
}

# Plays the pipeline, for at most $seconds where that is set.
play() {
    local limit=()
    [ -z "$seconds" ] || limit=(timeout --foreground --signal=INT "$seconds")
    # An interrupt is for gst-launch, which ends the files properly; the reader stays
    # until then.
    trap : INT
    GST_REGISTRY=$folder/registry.bin meson devenv -C "$build" -w "$PWD" \
        "${limit[@]}" gst-launch-1.0 -e -m "${pipeline[@]}" |
        (trap '' INT && print_changes)
}

# The one in the middle, as demo.png.
choose_picture() {
    local pictures=("$folder"/picture-*.png)
    [ -f "${pictures[0]}" ] || die "the source '${source:-$clip}' gave no frame"
    mv "${pictures[${#pictures[@]} / 2]}" "$folder/demo.png"
    rm -f "$folder"/picture-*.png
}

demo() {
    local build=${VIGIL_BUILD:-build/gcc} folder=${VIGIL_BUILD:-$PWD/build}/demo sink
    local pipeline=()
    need "to play" "${packages_play[@]}"
    [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] ||
        need "to show a window" "${packages_window[@]}"
    [ -n "${VIGIL_BUILD:-}" ] || build_release
    if [ -z "$source" ]; then
        fetch_clip
        detection=("${clip_detection[@]}")
        if [ "$task" = classify ]; then
            regions=${regions:-$clip_regions}
            clip_picture_rate=$clip_places_picture_rate
        fi
    fi
    rm -rf "$folder"
    mkdir -p "$folder"

    add_source "${source:-$clip}"
    add ! videoconvert ! "vigil$task" post-messages=true
    [ "$task" != detect ] || add "${detection[@]}"
    [ -z "$model" ] || add "model=$model"
    [ -z "$regions" ] || add "regions=$regions"
    add ! vigiloverlay
    [ -n "$source" ] || add font-scale=0.7
    add !
    if sink=$(window_sink); then
        add videoconvert ! "$sink"
    else
        add_files
        case $source in
        /dev/video* | rtsp://* | rtp://* | udp://*) seconds=${seconds:-20} ;;
        esac
    fi
    show_pipeline
    play || [ $? = 124 ] || die "the pipeline failed"
    [ -n "$sink" ] && return
    choose_picture
    echo "Written: $folder/demo.webm and $folder/demo.png"
}
