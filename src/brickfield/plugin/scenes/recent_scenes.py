"""The scene documents and sessions that were opened or saved last.

Their names are kept in a small file beside napari's settings; where napari keeps
none (as in tests), they are kept for the session. A name that holds what gives
access is not kept. Whatever is wrong with that file, the list is empty then.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path

from brickfield.errors import BrickfieldError, StoreFormatError
from brickfield.model.secrets import has_secrets
from brickfield.sources.io import read_head
from brickfield.writing import write_text

logger = logging.getLogger(__name__)
MOST = 10
"""Names that are kept."""
_SCENES = "brickfield_recent_scenes.json"
_SESSIONS = "brickfield_recent_sessions.json"
_MOST_BYTES = 1 << 16
_kept: dict[str, list[str]] = {_SCENES: [], _SESSIONS: []}


def recent_scenes() -> list[Path]:
    """Return where the last scene documents lie, the newest first; at most ten."""
    return [Path(name) for name in _names(_SCENES)]


def recent_sessions() -> list[Path]:
    """Return where the last sessions lie, the newest first; at most ten."""
    return [Path(name) for name in _names(_SESSIONS)]


def remember(path: Path) -> None:
    """Put a scene document first in the list."""
    _remember(path, _SCENES)


def remember_session(path: Path) -> None:
    """Put a session first in the list."""
    _remember(path, _SESSIONS)


def _remember(path: Path, which: str) -> None:
    name = str(path.absolute())
    if has_secrets(name):
        return
    others = [other for other in _names(which) if other != name]
    _keep([name, *others][:MOST], which)


def forget_all() -> None:
    """Empty both lists."""
    for which in _kept:
        _keep([], which)


def _file(which: str) -> Path | None:
    from napari.settings import get_settings

    settings = get_settings().config_path
    return None if settings is None else Path(settings).with_name(which)


def _names(which: str) -> list[str]:
    file = _file(which)
    if file is None:
        return list(_kept[which])
    try:
        found = json.loads(read_head(file, _MOST_BYTES))
    except (OSError, ValueError, RecursionError, StoreFormatError):
        return []
    is_list = isinstance(found, list)
    names = [n for n in found if isinstance(n, str)] if is_list else []
    return [name for name in names if not has_secrets(name)][:MOST]


def _keep(names: list[str], which: str) -> None:
    file = _file(which)
    if file is None:
        _kept[which][:] = names
        return
    try:
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps(names, indent=1, ensure_ascii=False) + "\n")
    except BrickfieldError as error:
        logger.info("the list of recent scenes is not kept: %s", error)
