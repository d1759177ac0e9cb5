#!/bin/sh
# Run a command on a virtual screen of its own, so that it neither needs a display
# nor opens windows on somebody's.
#
# usage: tools/screen.sh COMMAND [ARG…]
#
# BRICKFIELD_SCREEN=real keeps the display that there is.
set -eu
if [ "${BRICKFIELD_SCREEN:-}" = real ] || ! command -v xvfb-run >/dev/null 2>&1; then
    exec "$@"
fi
unset QT_QPA_PLATFORM WAYLAND_DISPLAY
export BRICKFIELD_SCREEN=virtual # workers of pytest make more of them (tests/conftest.py)
exec xvfb-run -a -s "-screen 0 1600x1000x24" "$@"
