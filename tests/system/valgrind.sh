#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Short pipelines under valgrind: no invalid access, nothing definitely lost.
# shellcheck source-path=SCRIPTDIR source=tap.bash
. "$(dirname "$0")/tap.bash"

command -v valgrind >/dev/null || skip_all "valgrind is not installed"

# The exit status is 9 where valgrind has something to say.
checked() {
    G_SLICE=always-malloc G_DEBUG=gc-friendly GST_REGISTRY_UPDATE=no vigil \
        valgrind --quiet --error-exitcode=9 --leak-check=full --num-callers=30 \
        --errors-for-leak-kinds=definite --show-leak-kinds=definite \
        --suppressions="$here/valgrind.supp" gst-launch-1.0 "$@"
}

refused() {
    local status=0
    checked "$@" || status=$?
    [ "$status" != 0 ] && [ "$status" != 9 ]
}

vigil gst-inspect-1.0 vigilclassify >/dev/null # the registry, written without valgrind
frames="video/x-raw,format=NV12,width=320,height=240"
ok "files" checked \
    videotestsrc num-buffers=2 ! $frames ! \
    vigilclassify input-size=64x64 regions="0,0,0.5,1;0.5,0,0.5,1" \
    post-messages=true ! vigiloverlay ! fakesink \
    videotestsrc num-buffers=2 ! $frames ! \
    vigildetect model="$build/tests/elements/detect.safetensors" input-size=64x64 \
    threshold=0.2 object-class="one, two,traffic light" class-thresholds="one=0.1" \
    regions="0,0,0.6,1;0.4,0,0.6,1" post-messages=true ! vigiloverlay ! fakesink \
    videotestsrc num-buffers=2 ! $frames ! \
    vigilsegment model="$build/tests/elements/segment.safetensors" input-size=64x64 \
    inference-interval=2 regions="0,0,0.6,1" post-messages=true ! tee name=t \
    t. ! queue ! vigiloverlay ! fakesink \
    t. ! queue ! vigilmask object-class="red, 0" ! fakesink
ok "a live stream" checked videotestsrc is-live=true num-buffers=3 ! \
    $frames,framerate=25/1 ! \
    vigildetect model="$build/tests/elements/detect.safetensors" input-size=64x64 \
    threshold=0.2 max-detections=2 post-messages=true ! queue ! \
    vigilclassify input-size=64x64 inference-region=roi-list ! vigiloverlay ! fakesink
ok "a class that is refused" refused videotestsrc num-buffers=1 ! \
    vigildetect model="$build/tests/elements/detect.safetensors" \
    class-thresholds="one=0.1" object-class=nobody ! fakesink
done_testing
