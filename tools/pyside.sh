#!/bin/sh
# Run Python with PySide6 in place of PyQt6, in .venv-pyside, which this makes.
#
# usage: tools/pyside.sh ARG…      (as for python)
#
# .venv-pyside holds the binding alone and looks up all else in .venv, so it takes
# seconds to make and cannot differ from it. 6.12.0 on Python 3.11 ends any Qt program
# that overrides paintEvent, as napari does (docs/troubleshooting.md).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"
venv=.venv-pyside

wanted=$({ echo "$root"; readlink -f .venv; cat tools/pyside.sh; } | cksum)
if [ "$(cat $venv/.made 2>/dev/null || true)" != "$wanted" ]; then
    echo "pyside: installing PySide6 in $venv" >&2
    rm -rf $venv
    .venv/bin/python -m venv --without-pip $venv
    where='import sysconfig; print(sysconfig.get_path("purelib"))'
    shared=$(.venv/bin/python -c "$where")
    # A line that runs: folders that are only named have no editable installs.
    echo "import site; site.addsitedir('$shared')" >"$($venv/bin/python -c "$where")/shared.pth"
    binding='PySide6-Essentials>=6.7,!=6.12.0'
    .venv/bin/uv pip install --quiet --python $venv/bin/python "$binding" ||
        $venv/bin/python -m pip install --quiet --disable-pip-version-check "$binding"
    echo "$wanted" >$venv/.made
fi
QT_API=pyside6 PYTEST_QT_API=pyside6 exec $venv/bin/python "$@"
