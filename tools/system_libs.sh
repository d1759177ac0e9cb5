#!/bin/sh
# Install missing system libraries on Debian and Ubuntu; elsewhere do nothing.
#
# usage: tools/system_libs.sh [PACKAGE…]
#
# Without arguments: what Qt, a virtual display and Vulkan in software need.
# Never asks a question and never fails the set-up: a machine that got the same
# libraries in another way works too, and what is really missing is told by
# `python -m brickfield.gpu.device`.
set -u
command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 || exit 0

[ $# -gt 0 ] || set -- \
    mesa-vulkan-drivers libvulkan1 \
    xvfb xauth libegl1 libgl1 \
    libdbus-1-3 libfontconfig1 libglib2.0-0 libxkbcommon-x11-0 \
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 \
    libxcb-render-util0 libxcb-shape0 libxcb-xkb1

# Newer releases renamed some libraries with the suffix t64.
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sed 's/t64$//')
missing=
for package in "$@"; do
    echo "$installed" | grep -qxF "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then
        sudo='sudo -n'
    else
        echo "setup: these system packages are missing:$missing" >&2
        echo "setup: install them with: sudo apt-get install --no-install-recommends$missing" >&2
        exit 0
    fi
fi

echo "setup: installing system packages:$missing" >&2
apt() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >/dev/null
}
# shellcheck disable=SC2086  # a list of words on purpose
apt install -y --no-install-recommends $missing 2>/dev/null ||
    { apt update && apt install -y --no-install-recommends $missing; } ||
    echo "setup: could not install:$missing (going on without)" >&2
exit 0
