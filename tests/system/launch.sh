#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Pipelines from the command line, as a user types them.
# shellcheck source-path=SCRIPTDIR source=tap.bash
. "$(dirname "$0")/tap.bash"

command -v gst-launch-1.0 >/dev/null || skip_all "gst-launch-1.0 is not installed"

launch() {
    vigil timeout 120 gst-launch-1.0 "$@"
}

# refused TEXT ELEMENT...: the pipeline must fail, with that text, and not by a signal.
refused() {
    local text=$1 status=0
    shift
    launch videotestsrc num-buffers=1 ! "$@" ! fakesink >"$work/said" 2>&1 || status=$?
    cat "$work/said"
    [ "$status" -gt 0 ] && [ "$status" != 124 ] && grep -q "ERROR" "$work/said" &&
        ! grep -q "Caught SIG" "$work/said" && grep -qF -- "$text" "$work/said"
}

# The source must fail, with that text.
no_camera() {
    local status=0
    launch vigilcamerasrc camera="name:no camera is called so" ! fakesink >"$work/said" 2>&1 || status=$?
    cat "$work/said"
    [ "$status" -gt 0 ] && [ "$status" != 124 ] && grep -q "There is no camera" "$work/said"
}

plays_file() {
    launch videotestsrc num-buffers=5 ! jpegenc ! avimux ! filesink location="$work/clip.avi" &&
        launch vigilsrc uri="file://$work/clip.avi" ! vigilclassify ! fakesink
}

inspected() {
    vigil gst-inspect-1.0 "$1" >"$work/said"
    grep "Klass.*$2" "$work/said"
}

# found FRAMES LAUNCH...: a message a frame, with objects that have a name and a box.
found() {
    local frames=$1
    shift
    launch -m "$@" >"$work/said"
    grep -c "vigil-detection" "$work/said" | grep -qx "$frames"
    grep -oE 'vigil-detection,.{300}' "$work/said"
    grep -qE 'vigil-detection,.*objects=.*score.*label.*(zero|one|two|three).*region-name.*left' "$work/said"
}

# shared LAUNCH...: a message a frame, which says that all of it is red.
shared() {
    launch -m "$@" >"$work/said"
    grep -c "vigil-segmentation" "$work/said" | grep -qx 2
    grep -E 'vigil-segmentation,.*classes=.*index[^,]*2.*share[^,]*)1[^0-9].*label.*red' "$work/said"
}

# live LAUNCH...: what was looked at beside the stream is told, before the end at the latest.
live() {
    launch -m "$@" >"$work/said"
    grep -E 'vigil-detection,.*objects=.*score' "$work/said"
}

posted() {
    launch -m "$@" >"$work/said"
    grep -c "vigil-classification" "$work/said" | grep -qx 1
    grep -E 'vigil-classification,.* label=\(string\)[a-z_]+' "$work/said"
}

is_png() {
    [ "$(od -An -tx1 -N8 "$1" | tr -d ' ')" = 89504e470d0a1a0a ]
}

ok "gst-inspect-1.0 knows vigilclassify" inspected vigilclassify Filter/Analyzer/Video
ok "gst-inspect-1.0 knows vigildetect" inspected vigildetect Filter/Analyzer/Video
ok "gst-inspect-1.0 knows vigilsegment" inspected vigilsegment Filter/Analyzer/Video
ok "gst-inspect-1.0 knows vigilmask" inspected vigilmask Filter/Converter/Video
ok "gst-inspect-1.0 knows vigiloverlay" inspected vigiloverlay Filter/Editor/Video
ok "gst-inspect-1.0 knows vigilcamerasrc" inspected vigilcamerasrc Source/Video/Hardware
ok "gst-inspect-1.0 knows vigilsrc" inspected vigilsrc Source/Video
ok "a camera that is not there is missed by name" no_camera
ok "a file plays" plays_file
ok "a test picture runs through" launch videotestsrc num-buffers=5 ! vigilclassify ! fakesink

launch -q videotestsrc num-buffers=1 pattern=ball ! video/x-raw,width=322,height=241 ! jpegenc ! \
    filesink location="$work/picture.jpg"
ok "a JPEG file is classified, and the answer posted" \
    posted filesrc location="$work/picture.jpg" ! decodebin ! vigilclassify post-messages=true ! fakesink
ok "a labelled picture is written" \
    launch filesrc location="$work/picture.jpg" ! decodebin ! vigilclassify ! vigiloverlay ! videoconvert ! \
    pngenc ! filesink location="$work/labelled.png"
ok "which is a PNG" is_png "$work/labelled.png"

detector=$build/tests/elements/detect.safetensors
ok "objects are found in every second frame and regions of it, drawn, and posted" \
    found 2 videotestsrc num-buffers=4 ! video/x-raw,width=320,height=240 ! \
    vigildetect model="$detector" threshold=0.2 inference-interval=2 post-messages=true \
    regions="left=0,0,0.6,1;0.4,0,0.6,1" max-detections=20 ! vigiloverlay ! fakesink
ok "objects are found in tiles, classified one by one, drawn, and posted" \
    found 4 videotestsrc num-buffers=4 ! video/x-raw,width=321,height=241 ! \
    vigildetect model="$detector" threshold=0.2 regions="left=0,0,0.6,1" tiles=2x2 tile-overlap=0.25 max-detections=20 \
    post-messages=true ! queue ! videoconvert ! vigilclassify input-size=64x64 \
    inference-region=roi-list object-class="one,two,traffic light" max-rois=3 reclassify-interval=2 ! \
    vigiloverlay ! videoconvert ! fakesink
ok "a live source is looked at beside the stream, by two elements" \
    live videotestsrc is-live=true num-buffers=25 ! video/x-raw,width=320,height=240,framerate=25/1 ! \
    vigildetect model="$detector" threshold=0.2 max-detections=3 max-fps=5 post-messages=true ! \
    vigilclassify mode=latest input-size=64x64 inference-region=roi-list ! \
    vigiloverlay hold-time=1000000000 ! fakesink sync=true
ok "tiles that are none are refused" refused "COLUMNSxROWS" vigildetect model="$detector" tiles=2
segmenter=$build/tests/elements/segment.safetensors
ok "pixels get classes, which are posted, drawn and made a video behind a tee" \
    shared videotestsrc num-buffers=2 pattern=red ! video/x-raw,format=NV12,width=320,height=240 ! \
    vigilsegment model="$segmenter" post-messages=true ! tee name=t \
    t. ! queue ! vigiloverlay ! fakesink \
    t. ! queue ! vigilmask object-class=red ! video/x-raw,width=33,height=21 ! pngenc ! \
    filesink location="$work/mask.png"
ok "the video of the mask is a PNG" is_png "$work/mask.png"
for element in vigildetect vigilsegment; do
    ok "$element without a model takes the shipped one" \
        launch videotestsrc num-buffers=1 ! video/x-raw,width=320,height=240 ! "$element" ! fakesink
done
ok "a detector is refused by vigilclassify" \
    refused "for detection, not for classification" vigilclassify model="$detector"

head -c 4096 /dev/zero >"$work/zeros.safetensors"
: >"$work/empty.safetensors"
ok "a model that does not exist is refused by name" \
    refused "$work/none.safetensors" vigilclassify model="$work/none.safetensors"
ok "a model of zeros is refused by name" \
    refused zeros.safetensors vigilclassify model="$work/zeros.safetensors"
ok "an empty model is refused by name" \
    refused empty.safetensors vigilclassify model="$work/empty.safetensors"
ok "a labels file that does not exist is refused by name" \
    refused "$work/none.txt" vigilclassify labels-file="$work/none.txt"
done_testing
