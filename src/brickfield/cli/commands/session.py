"""``brickfield session …``: save, look into, open, pack and relink sessions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brickfield.cli.groups import command_group
from brickfield.cli.output import INCOMPLETE, note, print_json, results
from brickfield.cli.progress import progress_bar
from brickfield.errors import OptionError

if TYPE_CHECKING:
    from brickfield.sessions import SessionContents, SessionDocument
    from brickfield.sources import ChunkSource

commands = command_group("Save the whole state of a scene and get it back.")

Session = Annotated[
    Path, typer.Argument(metavar="SESSION", help="Folder of a session.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace a store that is in the way.")
]


@commands.command("save")
def save(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SRC…",
            help="A scene document (*.json), a picture that knows its scene, a session,"
            " or images.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="SESSION", help="Folder to write.")
    ],
    *,
    name: Annotated[
        str | None,
        typer.Option(
            help="Title of the session.", show_default="that of the folder or session"
        ),
    ] = None,
    description: Annotated[
        str, typer.Option(help="A note to keep with the session.")
    ] = "",
    embed: Annotated[
        bool, typer.Option("--embed", help="Copy all voxels into the session.")
    ] = False,
    version: Annotated[
        str, typer.Option(help="Version of OME-Zarr: 0.5 or 0.4.")
    ] = "0.5",
    chunks: Annotated[str, typer.Option(help="Storage chunk Z,Y,X, voxels.")] = "64",
    shards: Annotated[
        str | None, typer.Option(help="Shard Z,Y,X, voxels; 0.5 only.")
    ] = None,
    reference_position: Annotated[
        str | None,
        typer.Option(metavar="Z,Y,X", help="A position to keep, world units."),
    ] = None,
    budget: Annotated[str, typer.Option(help="Memory for copying.")] = "1 GiB",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Save a scene, a session, or images with the looks that opening them gives."""
    from brickfield.blockwise import parse_bytes
    from brickfield.sessions import SessionManager
    from brickfield.writing import parse_triple

    if shards is not None and version == "0.4":
        msg = "expected no shards in OME-Zarr 0.4; found some: leave them out"
        raise OptionError(msg)
    options: dict[str, Any] = {
        "chunk_zyx": parse_triple("chunks", chunks),
        "shard_zyx": None if shards is None else parse_triple("shards", shards),
        "budget_bytes": parse_bytes(budget),
        "reference_position": _point(reference_position),
        "title": name,
    }
    manager = SessionManager()
    kept = _session_among(sources)
    if kept is not None:
        options["title"] = name or kept.name
        description = description or kept.description
    contents, opened = _contents(sources, kept)
    try:
        with progress_bar("saving") as progress:
            path = manager.save_session(
                contents,
                manager.path_of(out),
                description,
                mode="embed" if embed else "reference",
                version=version,
                overwrite=overwrite,
                progress=progress,
                **options,
            )
    finally:
        for source in opened:
            source.close()
    _tell(path, manager.info(path), as_json=as_json)


def _point(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 3:
        msg = f"expected --reference-position as three numbers Z,Y,X; found {text!r}"
        raise OptionError(msg)
    return numbers


def _session_among(sources: list[str]) -> SessionDocument | None:
    """Read the document of the session that is to be saved again, if there is one."""
    from brickfield.sessions import is_session, read_document

    sessions = [s for s in sources if is_session(Path(s))]
    if sessions and len(sources) > 1:
        msg = f"expected one session, or images; found {sessions[0]} beside others"
        raise OptionError(msg)
    return read_document(Path(sessions[0]))[0] if sessions else None


def _contents(
    sources: list[str], kept: SessionDocument | None
) -> tuple[SessionContents, list[ChunkSource]]:
    """Read the one scene document or session, or open images."""
    from brickfield.scene import read_scene
    from brickfield.sessions import SessionContents, whole_contents
    from brickfield.viewer.export import scene_of_png

    scenes = [s for s in sources if s.lower().endswith(".json")]
    scenes = [s for s in scenes if Path(s).name != "zarr.json"]
    if scenes and len(sources) > 1:
        msg = f"expected one scene document, or images; found {scenes[0]} beside others"
        raise OptionError(msg)
    if kept is not None:
        return whole_contents(kept, Path(sources[0])), []
    if sources[0].lower().endswith(".png") and len(sources) == 1:
        return SessionContents(scene_of_png(Path(sources[0]))), []
    if scenes:
        return SessionContents(read_scene(scenes[0])), []
    return _of_images(sources)


def _of_images(uris: list[str]) -> tuple[SessionContents, list[ChunkSource]]:
    from brickfield.sessions import SessionContents, open_whole, scene_of

    opened: list[ChunkSource] = []
    try:
        for uri in uris:
            opened.append(open_whole(uri))  # noqa: PERF401 -- those before are closed
        pairs = [(source.info.uri, source) for source in opened]
        scene = scene_of(pairs)
    except BaseException:
        for source in opened:
            source.close()
        raise
    by_uri = {source.info.uri: source for source in opened}
    of_layers = {
        i: by_uri[layer.source.uri]
        for i, layer in enumerate(scene.layers)
        if layer.source != "memory"
    }
    return SessionContents(scene, of_layers), opened


@commands.command("info")
def info(session: Session, *, as_json: AsJson = False) -> None:
    """Describe a session; no voxels are read, no window is opened."""
    from brickfield.sessions import SessionManager

    _tell(session, SessionManager().info(session), as_json=as_json)


@commands.command("load")
def load(
    session: Session,
    *,
    scene: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.json", help="Only write the scene, every source resolved."
        ),
    ] = None,
) -> None:
    """Open napari with a session; status 3 when data of a layer are gone."""
    from brickfield.sessions import SessionManager

    manager = SessionManager()
    if scene is None:
        open_session(session)
        return
    from brickfield.scene import write_scene

    about = manager.info(session)
    write_scene(manager.scene(session), scene)
    results().print(f"{scene}", markup=False, soft_wrap=True)
    if complain_of(about["findings"]):
        raise typer.Exit(INCOMPLETE)


def complain_of(findings: list[dict[str, str]]) -> bool:
    """Name what is not as it was; tell whether a layer is offline."""
    for finding in findings:
        note(finding["message"])
    return any(finding["code"] == "offline" for finding in findings)


def open_session(session: Path, *, layout: str | None = None) -> None:
    """Open napari with a session and leave it to the user.

    Parameters
    ----------
    session : Path
    layout : str, optional
        Views of the dock; default those of the session.

    Raises
    ------
    typer.Exit
        With 3, once the window is closed, when a layer is offline.
    """
    from brickfield.cli.screen import expect_screen, window_module
    from brickfield.sessions import read_document

    read_document(session)
    window = window_module()
    expect_screen()
    findings = window.open_session_window(session, layout=layout)
    is_offline = complain_of(findings)
    window.run()
    if is_offline:
        raise typer.Exit(INCOMPLETE)


@commands.command("pack")
def pack(
    session: Session,
    dst: Annotated[Path, typer.Argument(metavar="DST", help="Folder to write.")],
    *,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Write the same session with every voxel in it, to be handed on."""
    from brickfield.sessions import SaveControl, SessionManager
    from brickfield.sessions import pack as write

    manager = SessionManager()
    with progress_bar("packing") as progress:
        path = write(
            session,
            manager.path_of(dst),
            overwrite=overwrite,
            control=SaveControl(progress),
        )
    _tell(path, manager.info(path), as_json=as_json)


@commands.command("relink")
def relink(
    session: Session,
    old: Annotated[
        str,
        typer.Argument(metavar="OLD", help="Folder or address where the data were."),
    ],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="Folder or address where they are now.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Let a session look below NEW for the data that were below OLD."""
    from brickfield.sessions import SessionManager
    from brickfield.sessions import relink as change

    change(session, old, new)
    _tell(session, SessionManager().info(session), as_json=as_json)


def _tell(path: Path, about: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({"path": str(path), **about})
        return
    from rich.markup import escape

    console = results()
    console.print(
        f"[bold]{escape(str(path))}[/bold] {escape(about['name'])}, {about['mode']},"
        f" OME-Zarr {about['ome_version']}",
        soft_wrap=True,
    )
    if about["description"]:
        console.print(f"  note     {escape(about['description'])}", soft_wrap=True)
    console.print(f"  saved    {about['created']} by {escape(about['program'])}")
    for layer in about["layers"]:
        where = layer["source"] or "in the session"
        text = f"{layer['name']} ({layer['kind']}), {layer['status']}: {where}"
        console.print(f"  layer    {escape(text)}", soft_wrap=True)
    for one in about["annotations"]:
        text = f"{one['name']} ({one['type']})"
        console.print(f"  layer    {escape(text)}", soft_wrap=True)
    for finding in about["findings"]:
        console.print(f"  finding  {escape(finding['message'])}", soft_wrap=True)
