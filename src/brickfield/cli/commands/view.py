"""``brickfield view``: napari with images in the volume dock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.options import Choice, OpeningSeveral
from brickfield.cli.screen import expect_screen, window_module
from brickfield.errors import OptionError

if TYPE_CHECKING:
    from brickfield.scene import SceneState


@takes_groups
def view(
    uris: Annotated[
        list[str],
        typer.Argument(
            metavar="URI…",
            help="Files, folders or URLs; or one brickfield:// link to a scene.",
        ),
    ],
    *,
    layout: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="3D, xy, xz, yz, plane, 3D+plane, or 2x2 for slices and volume;"
            " by default 3D, or that of the scene.",
            show_default=False,
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Follow a local image while it is written.")
    ] = False,
    choice: Choice,
    opening: OpeningSeveral,
    apart: Annotated[
        bool,
        typer.Option(
            "--apart", help="Each image of a scene or project as a layer (up to 50)."
        ),
    ] = False,
) -> None:
    """Open napari with images in the volume dock."""
    from brickfield.qt import cells_of
    from brickfield.scene import is_link

    which = choice.keywords() | opening.keywords()
    if apart:
        which["apart"] = True
    if len(uris) == 1 and not which and _is_session(uris[0]):
        from brickfield.cli.commands.session import open_session

        open_session(Path(uris[0]), layout=layout)
        return
    _check_alone(uris)
    if live:
        _check_live(uris)
    is_scene = any(is_link(uri) for uri in uris)
    state = _scene_in(uris, which) if is_scene else None
    window = window_module()
    cells_of(layout or "3D")
    expect_screen()
    if state is not None:
        window.open_scene_window(state, layout=layout)
    else:
        window.open_window(uris, layout=layout or "3D", live=live, **which)
    window.run()


def _check_alone(uris: list[str]) -> None:
    """Refuse a session beside other data: its looks and its camera are for it alone."""
    session = next((uri for uri in uris if _is_session(uri)), None)
    if session is not None and len(uris) > 1:
        msg = (
            f"expected a session alone, or images; found {session} beside others: open"
            " it first, then add the images in napari"
        )
        raise OptionError(msg)


def _check_live(uris: list[str]) -> None:
    """Refuse what cannot be followed before a window opens."""
    from brickfield.sources.io import local_path
    from brickfield.streaming import AcquisitionWatch

    for uri in uris:
        remote = "://" in uri and not uri.startswith("file://")
        AcquisitionWatch(uri if remote else local_path(uri))


def _is_session(uri: str) -> bool:
    from brickfield.sessions import is_session

    return "://" not in uri and is_session(Path(uri))


def _scene_in(uris: list[str], which: dict[str, Any]) -> SceneState:
    """Read the link that stands alone."""
    from brickfield.scene import state_of_link

    if len(uris) > 1 or which:
        what = "more beside it" if len(uris) > 1 else f"--{next(iter(which))}"
        msg = f"expected a brickfield:// link alone, since it names all data; found {what}"
        raise OptionError(msg)
    return state_of_link(uris[0])
