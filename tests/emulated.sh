# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The suite `emulated` on processors that this machine is not, by qemu-user: an x86-64
# without AVX, which runs what is built in build/gcc, and arm64, for which libvigil is
# cross-compiled.

# Elsewhere the one cannot be emulated and the other may be what the machine is.
can_emulate() {
    [ "$(uname -m)" = x86_64 ]
}

skip() {
    echo "skipped: $2"
    skipped=$((skipped + 1))
    skips+=("$1: $2")
}

# apt for another architecture, with lists of packages of its own: those of the machine,
# and the architectures that it knows, stay as they are.  The sources are the machine's.
apt_arm64() {
    timeout 180 apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o Dir::State="$PWD/apt" -o Dir::State::status=/dev/null \
        -o Dir::Cache="$PWD/apt" -o APT::Sandbox::User=root "$@"
}

# fetch_arm64 FOLDER: what libvigil needs besides a C library, unpacked into FOLDER/root.
fetch_arm64() (
    [ ! -e "$1/root/done" ] || exit 0
    mkdir -p "$1" && cd "$1" || exit 1
    rm -rf apt root ./*.deb
    mkdir -p apt/lists/partial apt/archives/partial
    apt_arm64 update && apt_arm64 download libjansson4 libjansson-dev || exit 1
    for package in ./*.deb; do
        dpkg -x "$package" root || exit 1
    done
    rm -rf apt
    touch root/done
)

# cross_file ROOT: prints how meson builds for arm64 with the libraries below ROOT.
cross_file() {
    cat <<END
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu']
[properties]
sys_root = '$1'
pkg_config_libdir = '$1/usr/lib/aarch64-linux-gnu/pkgconfig'
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END
}

# build_arm64 PARTS FOLDER: what its tests need, unless all are to run.
build_arm64() {
    local targets=()
    configure build/arm64 --cross-file "$2/cross.ini" -Dparts="$1" -Dopenblas=disabled ||
        return 1
    if [ "$all" = no ]; then
        targets=(tests/kernels/check-kernels)
        [ "$1" = kernels ] || targets+=(tests/models/golden
            tests/core/core-ops{,_dense,_patches,_spatial,_tokens})
    fi
    ninja -C build/arm64 "${targets[@]}"
}

# Without jansson for arm64, the kernels alone.
emulated_arm64() {
    local name="suite on arm64" folder=$PWD/build/arm64-packages parts=engine
    if ! command -v aarch64-linux-gnu-gcc >/dev/null || ! command -v qemu-aarch64 >/dev/null
    then
        announce "$name"
        skip "$name" "there is no aarch64-linux-gnu-gcc or no qemu-aarch64"
        return
    fi
    mkdir -p "$folder"
    if ! fetch_arm64 "$folder" >build/logs/arm64-packages.log 2>&1; then
        parts=kernels
        announce "networks on arm64"
        skip "networks on arm64" "apt has no jansson for it (build/logs/arm64-packages.log)"
    fi
    cross_file "$folder/root" >"$folder/cross.ini"
    if step "build for arm64" build_arm64 $parts "$folder"; then
        VIGIL_TEST_LEVEL=neon cases "$name" build/arm64 "${few[@]}"
        [ "$all" = no ] || [ $parts = kernels ] ||
            cases "engine on arm64" build/arm64 --suite core --suite vision
    fi
}

# The whole engine takes too long on an emulated processor to be tested without --all.
emulated() {
    local name="suite on an x86-64 without AVX" few=(--suite emulated "${quick[@]}")
    can_emulate || return 0
    if command -v qemu-x86_64 >/dev/null && [ -e build/gcc/build.ninja ]; then
        VIGIL_TEST_LEVEL=sse2 GST_REGISTRY_FORK=no cases "$name" build/gcc \
            --wrapper "qemu-x86_64 -cpu Nehalem" "${few[@]}"
    else
        announce "$name"
        skip "$name" "there is no qemu-x86_64 or no build/gcc"
    fi
    emulated_arm64
}
