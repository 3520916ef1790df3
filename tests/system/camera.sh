#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# camera-guest in a guest kernel (User Mode Linux) that has two cameras of its test driver.
# The kernel lies beside the checkout, in ../shared/tools; it is unpacked once a build folder.
#   camera.sh BUILD-FOLDER SECONDS [ARGUMENT OF CAMERA-GUEST...]
# shellcheck source-path=SCRIPTDIR source=tap.bash
. "$(dirname "$0")/tap.bash"

seconds=$2
tools=$here/../../../shared/tools
cache=$build/tests/system/v4l2-uml

[ -x "$tools/v4l2-uml.sh" ] && [ -f "$tools/v4l2-uml-cache/linux.xz" ] ||
    skip_all "there is no guest kernel with cameras in ../shared/tools"
[ -x /bin/busybox ] || skip_all "busybox (package busybox-static) is not installed"
[ "$(uname -m)" = x86_64 ] || skip_all "the guest kernel is for x86-64"

unpack() {
    rm -rf "$cache" "$cache.new"
    cp -r "$tools/v4l2-uml-cache" "$cache.new"
    chmod -R u+w "$cache.new"
    xz -d "$cache.new/linux.xz"
    chmod +x "$cache.new/linux"
    mv "$cache.new" "$cache"
}
cmp -s "$tools/v4l2-uml-cache/key" "$cache/key" || unpack

# Few plugins, as the guest is slow to read of many; another user must see them, too.
chmod 755 "$work"
mkdir "$work/plugins"
from=$(pkg-config --variable=pluginsdir gstreamer-1.0)
for plugin in "$from"/libgst{coreelements,jpeg,video4linux2,videoconvert,videoconvertscale}.so; do
    [ ! -e "$plugin" ] || ln -s "$plugin" "$work/plugins"
done
export GST_PLUGIN_SYSTEM_PATH_1_0=$work/plugins

passed_on="GST_PLUGIN_PATH GST_PLUGIN_SYSTEM_PATH_1_0 GST_REGISTRY GST_REGISTRY_UPDATE"
passed_on+=" LD_LIBRARY_PATH VIGIL_CAMERAS VIGIL_MODEL_PATH VIGIL_TEST_DETECTOR"

# guest COMMAND...: the second camera has frames of several planes.
guest() {
    vigil env LD_PRELOAD="$build/tests/system/libuml-xstate.so" V4L2_VM_CACHE="$cache" \
        V4L2_VM_ENV="$passed_on" \
        V4L2_VM_VIVID="n_devs=2 node_types=0x1,0x1 num_inputs=1,1 input_types=0,0 multiplanar=1,2" \
        V4L2_VM_TIMEOUT="$seconds" GST_REGISTRY_UPDATE=no \
        VIGIL_CAMERAS="$build/plugin/tools/vigil-cameras" "$tools/v4l2-uml.sh" "$@"
}

guest test -c /dev/video1 >"$work/output" 2>&1 ||
    skip_all "the guest kernel does not run here: $(tail -n 1 "$work/output")"

vigil gst-inspect-1.0 vigilcamerasrc >/dev/null # the registry, which the guest only reads
status=0
guest "$build/tests/system/camera-guest" --tap "${@:3}" || status=$?
exit "$status"
