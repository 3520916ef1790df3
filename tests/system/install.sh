#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `meson install` into a folder: what lands where, and that it works from there.
# shellcheck source-path=SCRIPTDIR source=tap.bash
. "$(dirname "$0")/tap.bash"

root=$work/root

option() {
    meson introspect --buildoptions "$build" | /usr/bin/python3 -c '
import json, sys
print({o["name"]: o["value"] for o in json.load(sys.stdin)}[sys.argv[1]])' "$1"
}
prefix=$(option prefix)
libdir=$prefix/$(option libdir)
datadir=$prefix/$(option datadir)

# Nothing of the build folder helps: only what was installed.
installed() {
    env LD_LIBRARY_PATH="$root$libdir" GI_TYPELIB_PATH="$root$libdir/girepository-1.0" \
        GST_PLUGIN_PATH="$root$libdir/gstreamer-1.0" GST_REGISTRY="$work/registry.bin" \
        VIGIL_MODEL_PATH="$root$datadir/gst-vigil/models" \
        PKG_CONFIG_PATH="$work/pkgconfig" PATH="$root$prefix/bin:$PATH" "$@"
}

landed() {
    local file status=0
    for file; do
        [ -s "$root$file" ] || { echo "not there, or empty: $file" && status=1; }
    done
    [ "$status" = 0 ] || (cd "$root" && find . ! -type d)
    return "$status"
}

uninstalled_paths() {
    ! grep -rlF -e "$build" -e "$(realpath "$here/../..")" "$root$libdir/pkgconfig" \
        "$root$prefix/bin"
}

# The .pc files name the prefix, which here is below $root.
compiled() {
    local package=$1 source=$2
    shift 2
    echo "$source" >"$work/program.c"
    # shellcheck disable=SC2046
    cc -Wall -Werror -o "$work/program" "$work/program.c" \
        $(installed pkg-config --cflags --libs "$package") && installed "$work/program"
}

typelib_loads() {
    installed /usr/bin/python3 -c '
import gi
gi.require_version("GstVigil", "1.0")
from gi.repository import Gst, GstVigil
Gst.init(None)
assert GstVigil.Result.new_full_frame().is_full_frame()'
}

ok "meson install" meson install -C "$build" --no-rebuild --destdir "$root"
ok "the plugin lands beside GStreamer's" landed "$libdir/gstreamer-1.0/libgstvigil.so"
ok "the libraries land" landed "$libdir"/lib{vigil,gstvigil-1.0}.so{,.0,.0.1.0}
ok "the pkg-config files land" landed "$libdir"/pkgconfig/{vigil,gst-vigil-1.0}.pc
ok "the headers land" landed "$prefix"/include/{vigil.h,gstreamer-1.0/gst/vigil/gstvigilmeta.h}
ok "the tools land" landed "$prefix"/bin/vigil-{model,convert,cameras}
ok "the man pages land" landed "$datadir"/man/man1/vigil-{model,convert,cameras}.1
ok "the default weights land" \
    landed "$datadir"/gst-vigil/models/{cameras10-emo-1m,cameras3-ssdlite-emo-1m,streets11-deeplabv3-emo-1m}.safetensors
ok "no path of the sources is in what is installed" uninstalled_paths

mkdir "$work/pkgconfig"
for file in "$root$libdir"/pkgconfig/*.pc; do
    sed "s,^prefix=.*,prefix=$root$prefix," "$file" >"$work/pkgconfig/${file##*/}"
done
ok "a program of the engine compiles and runs" compiled vigil '
#include <stdio.h>
#include <vigil.h>
int main(void)
{
    VigilModel *model = NULL;
    VigilError error;
    if (vigil_model_open(NULL, &model, &error) != VIGIL_OK)
        return puts(error.message), 1;
    vigil_model_close(&model);
    return 0;
}'
ok "a program of the results compiles and runs" compiled gst-vigil-1.0 '
#include <gst/vigil/gstvigilmeta.h>
int main(void)
{
    gst_init(NULL, NULL);
    GstVigilResult *result = gst_vigil_result_new_full_frame();
    gst_vigil_result_unref(result);
    return 0;
}'
if /usr/bin/python3 -c 'import gi' 2>/dev/null && [ "$(option introspection)" != disabled ]; then
    ok "the typelib lands" landed "$libdir/girepository-1.0/GstVigil-1.0.typelib" \
        "$datadir/gir-1.0/GstVigil-1.0.gir"
    ok "the typelib loads" typelib_loads
else
    skip "python3-gi is not installed, or the build is without introspection: no typelib"
fi
ok "vigil-model lists the networks" installed vigil-model list
ok "the pipeline runs" installed gst-launch-1.0 videotestsrc num-buffers=2 ! vigilclassify ! \
    vigiloverlay ! fakesink
done_testing
