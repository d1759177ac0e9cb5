"""``brickfield info``: what a store says about its image."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import ceil, prod
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brickfield.cli.option_groups import takes_groups
from brickfield.cli.options import Choice, Opening, trust
from brickfield.cli.output import print_json, results

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from brickfield.model import Channel, Finding, ImageInfo, ScaleLevel
    from brickfield.sources import ChunkSource

MOST_IMAGES_SHOWN = 24
"""Rows of the table for people; ``--json`` has all."""
MOST_CHUNKS_COUNTED = 4096
"""Most storage chunks whose stored bytes are summed, and only of local data."""


@takes_groups
def info(
    uri: Annotated[str, typer.Argument(help="File, folder or URL of an image.")],
    *,
    choice: Choice,
    opening: Opening,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.")
    ] = False,
) -> None:
    """Describe an image: axes, levels, channels, and what is odd about it."""
    from brickfield.sources import open_source

    source = open_source(uri, **choice.keywords(), **opening.keywords())
    try:
        description = describe(source)
        about = source.info
    finally:
        source.close()
    reading = trust(opening.denied, opening.follow)
    description["images"] = _images(uri, reading)
    places = _places(uri, about, reading)
    more = places.pop("findings", [])
    known = description["findings"]
    description["findings"] = [*known, *(f for f in more if f not in known)]
    description |= places
    if as_json:
        print_json(description)
    else:
        _print_tables(description, results())


def _images(uri: str, reading: dict[str, Any]) -> list[dict[str, Any]]:
    """List what `--image` takes; nothing where only the chosen image can be read."""
    from brickfield.errors import BrickfieldError
    from brickfield.sources.images import list_images

    try:
        return [entry.as_dict() for entry in list_images(uri, **reading)]
    except BrickfieldError:
        return []


def _places(uri: str, about: ImageInfo, reading: dict[str, Any]) -> dict[str, Any]:
    """List the tiles of a scene or project, and the coordinate systems of a store.

    With the tiles come findings on what is not among them.
    """
    from brickfield.errors import BrickfieldError

    found: dict[str, Any] = {"tiles": [], "coordinate_systems": []}
    is_project = about.format.startswith("BigDataViewer")
    is_together = about.is_in_scene or is_project or bool(about.beside)
    if about.format.startswith("OME-Zarr"):
        from brickfield.sources.ome_zarr import open_graph

        with suppress(BrickfieldError):
            graph = open_graph(uri)
            is_together |= any(edge.where.startswith("scene.") for edge in graph.edges)
            found["coordinate_systems"] = [
                {"name": s.full_name, "axes": list(s.axes)}
                for s in graph.systems.values()
                if not s.is_array
            ]
    if is_together:
        from brickfield.sources.mosaic import list_tiles

        with suppress(BrickfieldError):
            listed = list_tiles(uri, **reading)
            found["findings"] = _plain(listed.findings)
            found["tiles"] = [
                {
                    "name": place.name,
                    "matrix": place.matrix.matrix.tolist(),
                    "shape": list(place.shape),
                    "time": place.time,
                }
                for place, _ in listed.tiles
            ]
    return found


def _plain(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [
        {"severity": f.severity, "code": f.code, "path": f.path, "text": f.text}
        for f in findings
    ]


def describe(source: ChunkSource) -> dict[str, Any]:
    """Put everything known of an image in plain values.

    Parameters
    ----------
    source : ChunkSource

    Returns
    -------
    dict
        The object of ``brickfield info --json``.
    """
    about = source.info
    axes = about.pyramid.axes
    nominal = [_nominal_bytes(level) for level in about.pyramid.levels]
    return {
        "uri": about.uri,
        "name": about.name,
        "format": about.format,
        "dtype": about.pyramid.dtype.name,
        "is_labels": about.is_labels,
        "axes": [{"name": a.name, "type": a.kind, "unit": a.unit} for a in axes],
        "levels": [
            _level(number, level) for number, level in enumerate(about.pyramid.levels)
        ],
        "channels": [_channel(channel) for channel in about.channels],
        **_names(about),
        "findings": _plain(about.findings),
        "bytes": {"nominal": sum(nominal), "stored": _stored_bytes(source)},
    }


def _names(about: ImageInfo) -> dict[str, list[str]]:
    return {
        "labels": list(about.labels),
        "wells": list(about.wells),
        "series": list(about.series),
    }


def _level(number: int, level: ScaleLevel) -> dict[str, Any]:
    return {
        "level": number,
        "path": level.path,
        "shape": list(level.shape),
        "chunk_shape": list(level.storage_chunk_shape),
        "voxel_size": list(level.voxel_size),
        "translation": list(level.translation),
        "dtype": level.dtype.name,
        "bytes": _nominal_bytes(level),
    }


def _channel(channel: Channel) -> dict[str, Any]:
    color = (
        None if channel.color is None else "#{:02x}{:02x}{:02x}".format(*channel.color)
    )
    return {
        "name": channel.name,
        "color": color,
        "window": None if channel.window is None else list(channel.window),
        "active": channel.is_active,
    }


def _nominal_bytes(level: ScaleLevel) -> int:
    return prod(level.shape) * level.dtype.itemsize


def _stored_bytes(source: ChunkSource) -> int | None:
    """Sum what is stored, or None when that would not be quick."""
    import numpy as np

    levels = source.info.pyramid.levels
    grids = [
        tuple(
            ceil(n / c) for n, c in zip(lv.shape, lv.storage_chunk_shape, strict=True)
        )
        for lv in levels
    ]
    if source.is_remote or sum(map(prod, grids)) > MOST_CHUNKS_COUNTED:
        return None
    total = 0
    for number, grid in enumerate(grids):
        for index in np.ndindex(*grid):
            size = source.stored_bytes(number, index)
            if size is None:
                return None
            total += size
    return total


def _print_tables(description: dict[str, Any], console: Console) -> None:
    from rich.markup import escape

    console.print(
        f"[bold]{escape(description['name'] or description['uri'])}[/bold]",
        soft_wrap=True,
    )
    for key, text in _facts(description):
        if text:
            console.print(f"  {key:<9} {escape(text)}", soft_wrap=True)
    console.print(_level_table(description))
    if len(description["channels"]) > 1 or description["channels"][0]["window"]:
        console.print(_channel_table(description))
    if len(description["images"]) > 1:
        console.print(_image_table(description["images"]))
    for finding in description["findings"]:
        place = f" at {finding['path']}" if finding["path"] else ""
        text = f"{finding['severity']}: {finding['text']} ({finding['code']}{place})"
        console.print(escape(text), soft_wrap=True)


def _facts(description: dict[str, Any]) -> list[tuple[str, str]]:
    from brickfield.blockwise import format_bytes

    axes = ", ".join(
        f"{a['name']} ({a['unit'] or a['type']})" for a in description["axes"]
    )
    size = f"{format_bytes(description['bytes']['nominal'])} of voxels in all levels"
    stored = description["bytes"]["stored"]
    if stored is not None:
        size += f", {format_bytes(stored)} stored"
    kind = " (object numbers)" if description["is_labels"] else ""
    return [
        ("where", description["uri"]),
        ("format", description["format"]),
        ("axes", axes),
        ("dtype", f"{description['dtype']}{kind}"),
        ("bytes", size),
        ("labels", ", ".join(description["labels"])),
        ("wells", ", ".join(description["wells"])),
        ("series", ", ".join(description["series"])),
    ]


def _level_table(description: dict[str, Any]) -> Table:
    from rich.table import Table

    from brickfield.blockwise import format_bytes

    table = Table(title="Levels", title_justify="left")
    table.add_column("level", justify="right")
    for name in ("shape", "chunk shape", "voxel size", "translation", "dtype"):
        table.add_column(name)
    table.add_column("bytes", justify="right")
    for level in description["levels"]:
        table.add_row(
            str(level["level"]),
            " × ".join(map(str, level["shape"])),  # for people
            " × ".join(map(str, level["chunk_shape"])),
            _numbers(level["voxel_size"]),
            _numbers(level["translation"]),
            level["dtype"],
            format_bytes(level["bytes"]),
        )
    return table


def _image_table(images: list[dict[str, Any]]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    title = f"Images (--image NAME), {len(images)} in all"
    table = Table(title=title, title_justify="left")
    for name in ("name", "kind", "shape", "axes"):
        table.add_column(name)
    for image in images[:MOST_IMAGES_SHOWN]:
        shape = " × ".join(map(str, image["shape"] or ()))  # for people
        axes = " ".join(image["axes"] or ())
        table.add_row(escape(image["name"]), image["kind"], shape, escape(axes))
    if len(images) > MOST_IMAGES_SHOWN:
        table.add_row("…", "", "", "")
    return table


def _channel_table(description: dict[str, Any]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="Channels", title_justify="left")
    table.add_column("channel", justify="right")
    for name in ("name", "color", "window", "active"):
        table.add_column(name)
    for number, channel in enumerate(description["channels"]):
        table.add_row(
            str(number),
            escape(channel["name"]),
            channel["color"] or "",
            _numbers(channel["window"] or ()),
            "yes" if channel["active"] else "no",
        )
    return table


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:z.6g}" for value in values)
