#!/bin/sh
# Make .venv and install the package in it, with the system libraries it needs.
#
# usage: tools/setup.sh [EXTRA,EXTRA…]
#
# Safe to call before every run: when neither pyproject.toml nor this file has
# changed since the last time, it only looks and returns.
set -eu
extras=${1:-}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"

say() { printf '%s\n' "$*" >&2; }

sh tools/system_libs.sh

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for name in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11; do
        if is_new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    say "setup: expected Python 3.11 or newer, found $(python3 --version 2>&1 || echo none). Install it, or name it: make PYTHON=/path/to/python3 …"
    return 1
}

# Half made (no pip), or made in another folder, whose scripts name that folder.
is_usable() {
    [ -x .venv/bin/pip ] && is_new_enough .venv/bin/python &&
        grep -qF "$root/.venv" .venv/bin/activate
}

make_venv() {
    python=$(find_python)
    say "setup: making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv >/dev/null 2>&1 && return
    # Debian keeps the venv module in a package of its own.
    version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    sh tools/system_libs.sh "$version-venv" || true
    rm -rf .venv
    "$python" -m venv .venv
}

# uv takes a tenth of the processor time of pip. It knows nothing of pip's configuration
# (an index of one's own), so pip has the second word.
install() {
    pip="-m pip --quiet --disable-pip-version-check"
    # shellcheck disable=SC2086 # several words
    [ -x .venv/bin/uv ] || .venv/bin/python $pip install uv || true
    .venv/bin/uv pip install --quiet --python .venv/bin/python "$@" && return
    say "setup: uv could not do it; pip tries"
    # shellcheck disable=SC2086 # several words
    .venv/bin/python $pip install "$@"
}

is_usable || make_venv

# An editable install names this folder, so a moved folder needs a new one.
wanted=$({ echo "$root"; cat pyproject.toml tools/setup.sh; } | cksum)
stamp=.venv/.installed-${extras:-core}
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    say "setup: installing brickfield${extras:+ with $extras} (a minute the first time)"
    install -e ".${extras:+[$extras]}"
    echo "$wanted" >"$stamp"
fi

mkdir -p .runtime
chmod 700 .runtime
