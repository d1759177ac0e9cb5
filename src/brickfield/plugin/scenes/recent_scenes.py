"""The scene documents that were opened or saved last.

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
from brickfield.model import has_secrets
from brickfield.sources import read_head
from brickfield.writing import write_text

logger = logging.getLogger(__name__)
MOST = 10
"""Names that are kept."""
_NAME = "brickfield_recent_scenes.json"
_MOST_BYTES = 1 << 16
_session: list[str] = []


def recent_scenes() -> list[Path]:
    """Return where the last scene documents lie, the newest first; at most ten."""
    return [Path(name) for name in _names()]


def remember(path: Path) -> None:
    """Put a scene document first in the list."""
    name = str(path.absolute())
    if has_secrets(name):
        return
    _keep([name, *(other for other in _names() if other != name)][:MOST])


def forget_all() -> None:
    """Empty the list."""
    _keep([])


def _file() -> Path | None:
    from napari.settings import get_settings

    settings = get_settings().config_path
    return None if settings is None else Path(settings).with_name(_NAME)


def _names() -> list[str]:
    file = _file()
    if file is None:
        return list(_session)
    try:
        found = json.loads(read_head(file, _MOST_BYTES))
    except (OSError, ValueError, RecursionError, StoreFormatError):
        return []
    is_list = isinstance(found, list)
    names = [n for n in found if isinstance(n, str)] if is_list else []
    return [name for name in names if not has_secrets(name)][:MOST]


def _keep(names: list[str]) -> None:
    file = _file()
    if file is None:
        _session[:] = names
        return
    try:
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps(names, indent=1, ensure_ascii=False) + "\n")
    except BrickfieldError as error:
        logger.info("the list of recent scenes is not kept: %s", error)
