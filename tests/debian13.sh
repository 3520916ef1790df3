# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The suites that depend on GStreamer once more with the 1.26 of Debian 13, built and run
# in a tree of its packages below build/, where this machine's GStreamer is older.

debian13_tree=$PWD/build/debian13/tree

# Of the lists in ./run, what only the other steps use.
debian13_not=(busybox-static clang-19 clang-format-19 libclang-rt-19-dev valgrind)

debian13_packages() {
    printf '%s\n' "${packages_build[@]}" "${packages_play[@]}" "${packages_test[@]}" |
        grep -vxF "$(printf '%s\n' "${debian13_not[@]}")" | sort -u
}

wants_debian13() {
    ! pkg-config --atleast-version=1.26 gstreamer-1.0
}

# Prints why there can be no such tree.
debian13_lacks() {
    if ! command -v mmdebstrap >/dev/null; then
        echo "there is no mmdebstrap"
    elif [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
        echo "it takes root, or a sudo that asks nothing"
    elif ! as_root unshare --mount true 2>/dev/null; then
        echo "this machine lets nobody mount anything"
    fi
}

# That of the machine, as it may be nearer.
debian_mirror() {
    local mirror
    mirror=$(apt-get indextargets --format "\$(REPO_URI) \$(ORIGIN)" 2>/dev/null |
        awk '$1 ~ /^http/ && $1 !~ /security/ && $2 == "Debian" { print $1; exit }')
    echo "${mirror:-http://deb.debian.org/debian}"
}

# Makes the tree, one run after the other, unless it is there with these packages.
# GstAnalytics comes without the packages that its own one names: 1 GB of OpenCV.
make_debian13() (
    mkdir -p "${debian13_tree%/*}"
    exec 9>"${debian13_tree%/*}/lock" && flock 9 || exit 1
    packages=$(debian13_packages)
    stamp="$packages with the files of ${packages_analytics[*]}"
    [ "$stamp" != "$(cat "$debian13_tree/packages" 2>/dev/null)" ] || exit 0
    as_root rm -rf --one-file-system "$debian13_tree" || exit 1
    # In a mount namespace of its own, so that nothing stays mounted when it is stopped.
    as_root timeout 1800 unshare --mount --propagation private \
        mmdebstrap --mode=root --variant=minbase --include="${packages//$'\n'/,}" \
        --aptopt='Acquire::Retries "3"' --aptopt='APT::Install-Recommends "false"' \
        --aptopt='APT::Sandbox::User "root"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --customize-hook='export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG; cd "$1/tmp" &&
            apt-get download '"${packages_analytics[*]}"' &&
            for package in *.deb; do dpkg -x "$package" "$1" || exit 1; done && rm *.deb' \
        trixie "$debian13_tree" "$(debian_mirror)" || exit 1
    as_root tee "$debian13_tree/packages" <<<"$stamp" >/dev/null
)

# Beside other steps, as it mostly waits for the network and for disks.
begin_debian13() {
    if wants_debian13 && [ -z "$(debian13_lacks)" ]; then
        make_debian13 >build/logs/debian13-packages.log 2>&1 &
        debian13_maker=$!
    fi
}

# in_debian13 COMMAND...: runs it in the tree, as who runs this, in the same folder.
in_debian13() {
    # shellcheck disable=SC2016
    as_root unshare --mount --propagation private bash -euc '
        tree=$1 user=$2 here=$PWD
        shift 2
        for folder in proc sys dev; do
            mount --rbind "/$folder" "$tree/$folder"
        done
        mount -t tmpfs tmp "$tree/tmp"
        mkdir -p "$tree$here"
        mount --bind "$here" "$tree$here"
        exec chroot --userspec="$user" "$tree" env -i HOME=/tmp LANG=C.UTF-8 \
            PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -ec "cd \"\$1\"; shift; exec \"\$@\"" \
            sh "$here" "$@"
    ' bash "$debian13_tree" "$(id -u):$(id -g)" "$@"
}

configure_debian13() {
    local folder=build/debian13/build options="--optimization=1 -Dlevels=avx2,neon"
    if [ "$options" != "$(cat $folder/.stamp 2>/dev/null)" ] ||
        [ "$debian13_tree/packages" -nt $folder/.stamp ]; then
        # shellcheck disable=SC2086
        rm -rf $folder && in_debian13 meson setup $options $folder . &&
            echo "$options" >$folder/.stamp
    fi
}

# A list that names what Debian 13 does not have is a fault; that it cannot be had is none.
fetch_debian13() {
    local name="packages of Debian 13" log=build/logs/debian13-packages.log
    announce "$name"
    if wait "$debian13_maker"; then
        passed=$((passed + 1))
        echo "ok ($((SECONDS - started)) s)"
    elif grep -qE 'Unable to locate package|unmet dependencies' $log; then
        failed=$((failed + 1))
        echo "FAILED, the end of $log:"
        tail -n 20 $log
        return 1
    else
        skip "suite on Debian 13" "its packages cannot be had: $(grep -m1 ^E: $log) ($log)"
        return 1
    fi
}

debian13() {
    local name="suite on Debian 13" why
    local meson_test=(in_debian13 meson test)
    wants_debian13 || return 0
    why=$(debian13_lacks)
    if [ -n "$why" ]; then
        announce "$name"
        skip "$name" "$why"
        return
    fi
    fetch_debian13 || return 0
    step "configure on Debian 13" configure_debian13 || return 0
    # Given names, meson builds what those tests need, and no more.
    cases "$name" build/debian13/build --suite elements --suite camera --suite gstreamer '*'
}
