"""``brickfield render``: one picture, drawn without a window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brickfield.cli import options as text
from brickfield.cli.option_groups import takes_groups
from brickfield.cli.output import INCOMPLETE, messages, note, print_json
from brickfield.cli.receipts import print_receipt
from brickfield.errors import OptionError

if TYPE_CHECKING:
    from brickfield.viewer.export import RenderOptions


_OF_A_SESSION = (
    "size",
    "quality",
    "level",
    "camera",
    "gpu_budget",
    "ram_budget",
    "background",
    "overlay",
    "timeout",
)
"""Options of a session's picture; all others are the session's own."""
_OF_ANY = (*_OF_A_SESSION, "uri", "out", "receipt", "as_json")


@takes_groups
def render(
    context: typer.Context,
    uri: Annotated[
        str, typer.Argument(help="File, folder or URL of an image, or a session.")
    ],
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.png", help="The picture.")
    ],
    *,
    size: Annotated[
        str, typer.Option(metavar="WxH", help="Width and height, pixels.")
    ] = "800x600",
    mode: Annotated[
        str,
        typer.Option(
            metavar="MODE",
            help="mip, minip, average, attenuated_mip, iso, translucent or additive.",
        ),
    ] = "mip",
    channel: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Channel to draw; may be repeated."),
    ] = None,
    time: Annotated[int, typer.Option(metavar="N", help="Index on the time axis.")] = 0,
    position: Annotated[
        list[str] | None,
        typer.Option(metavar="AXIS=N", help="Index on a further axis."),
    ] = None,
    contrast: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LO,HI",
            help="Values drawn as the first and last colour; one for each channel.",
        ),
    ] = None,
    colormap: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Colormap or colour; one for each channel."),
    ] = None,
    gamma: Annotated[
        float, typer.Option(metavar="G", help="Exponent after contrast.")
    ] = 1.0,
    iso_threshold: Annotated[
        float | None,
        typer.Option(metavar="V", help="Value of the surface in mode iso."),
    ] = None,
    level: Annotated[
        str, typer.Option(metavar="auto|N", help="Level to draw everywhere.")
    ] = "auto",
    quality: Annotated[
        float,
        typer.Option(metavar="PX", help="Wanted size of a voxel on screen, pixels."),
    ] = 1.0,
    camera: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            show_default="fit, or that of a session",
            help="fit, ortho:z|y|x, orbit:AZIMUTH,ELEVATION[,ZOOM] or a JSON object.",
        ),
    ] = None,
    gpu_budget: Annotated[
        str | None,
        typer.Option(metavar="BYTES", help='Most GPU memory, for example "512 MiB".'),
    ] = None,
    ram_budget: Annotated[
        str | None,
        typer.Option(
            metavar="BYTES", help='Most memory of the cache, for example "2 GiB".'
        ),
    ] = None,
    clip: Annotated[
        list[str] | None,
        typer.Option(metavar="AXIS=LO:HI", help="World units; an end may be left out."),
    ] = None,
    slice_: Annotated[
        str | None,
        typer.Option(
            "--slice", metavar="AXIS=POS", help="A slice, not the volume; world units."
        ),
    ] = None,
    plane: Annotated[
        str | None,
        typer.Option(metavar="x,y,z,nx,ny,nz", help="A slice at any angle."),
    ] = None,
    interpolation: Annotated[
        str,
        typer.Option(
            metavar="linear|nearest", help="How values between voxels are found."
        ),
    ] = "linear",
    choice: text.Choice,
    opening: text.Opening,
    mosaic: Annotated[
        bool,
        typer.Option("--mosaic", help="All images of a collection, where they lie."),
    ] = False,
    overlap: Annotated[
        str | None,
        typer.Option(
            metavar="max|mean|feather|first|difference",
            show_default="max for mip, else feather",
            help="What several images of a scene give at one place.",
        ),
    ] = None,
    colour_by: Annotated[
        str | None,
        typer.Option(
            metavar="tile|ATTRIBUTE",
            help="Colour the images of a scene or project: each, or by angle,"
            " illumination, …",
        ),
    ] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Draw integers as labels.")
    ] = False,
    background: Annotated[
        str, typer.Option(metavar="COLOUR", help="Colour behind the volume.")
    ] = "black",
    overlay: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="scale_bar, axes, bounding_box, tiles or colorbar; may be repeated.",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(metavar="S", help="Seconds until the picture is taken as it is."),
    ] = 60.0,
    show_levels: Annotated[
        bool, typer.Option("--show-levels", help="Colour by level.")
    ] = False,
    light: Annotated[
        str,
        typer.Option(
            metavar="LIGHT",
            help="Light of surfaces (iso): headlight, or raking, from the upper left, which"
            " shows relief.",
        ),
    ] = "headlight",
    shading: Annotated[
        bool,
        typer.Option(
            "--shading",
            help="In translucent: shade by the gradient of the values; slower.",
        ),
    ] = False,
    depth_colour: Annotated[
        bool,
        typer.Option(
            "--depth-colour",
            help="In mip and iso: colour tells depth, yellow near to blue far;"
            " colours of channels go.",
        ),
    ] = False,
    receipt: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Write the receipt there.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the receipt as JSON.")
    ] = False,
) -> None:
    """Draw one picture and tell what it cost."""
    from brickfield.viewer.export import render_options

    if is_session(uri):
        _check_given(context)
    out = _checked_target(out, "--output", ".png")
    if receipt is not None:
        receipt = _checked_target(receipt, "--receipt", "")
        _check_two(out, receipt)
    chosen = render_options(
        size=text.parse_size(size),
        mode=mode,
        channel=channel,
        time=time,
        position=[text.parse_position(p) for p in position or ()],
        contrast=[text.parse_contrast(c) for c in contrast or ()],
        colormap=colormap,
        gamma=gamma,
        iso_threshold=iso_threshold,
        level=text.parse_level(level),
        quality=quality,
        camera=camera,
        gpu_budget=gpu_budget,
        ram_budget=ram_budget,
        clip=[text.parse_clip(c) for c in clip or ()],
        slice=None if slice_ is None else text.parse_slice(slice_),
        plane=None if plane is None else text.parse_plane(plane),
        interpolation=interpolation,
        labels=labels,
        background=background,
        overlay=overlay,
        timeout=timeout,
        show_levels=show_levels,
        light=light,
        shading=shading,
        depth_colour=depth_colour,
    )
    which = choice.keywords() | opening.keywords()
    which |= _together(mosaic, overlap, mode, colour_by)
    cost = _drawn(uri, out, chosen, receipt, camera=camera, image=which)
    _tell(uri, cost, None if as_json else out)


def _check_given(context: typer.Context) -> None:
    """Refuse what a session says itself, so that nothing is left out unseen."""
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE" or name in _OF_ANY:
            continue
        known = ", ".join(f"--{one.replace('_', '-')}" for one in _OF_A_SESSION)
        msg = (
            f"expected only {known} for a session, whose looks and time point are its"
            f" own; found {parameter.opts[0]}: draw the image itself"
        )
        raise OptionError(msg)


def _tell_unused(options: RenderOptions) -> None:
    """Name what was asked for and has no effect in this kind of picture."""
    light = options.lighting
    is_slice = options.shown_plane is not None
    for name, is_given, modes in (
        ("--iso-threshold", options.iso_threshold is not None, ("iso",)),
        ("--light", light.light != "headlight", ("iso",)),
        ("--shading", light.shading, ("translucent",)),
        ("--depth-colour", light.depth_colour, ("mip", "iso")),
    ):
        if is_given and (is_slice or options.mode not in modes):
            what = "a slice" if is_slice else f"mode {options.mode}"
            note(f"{name} changes nothing in {what}: it is for {' and '.join(modes)}")


def _together(
    mosaic: bool, overlap: str | None, mode: str, colour_by: str | None
) -> dict[str, Any]:
    """Say how several images become one picture."""
    # What overlaps must not get lost in a maximum, nor brighter anywhere else.
    wanted = overlap or ("max" if mode == "mip" else "feather")
    found = {"overlap": wanted, "mosaic": True if mosaic else None}
    return found if colour_by is None else {**found, "colour_by": colour_by}


def _tell(uri: str, cost: dict[str, Any], out: Path | None) -> None:
    """Print the receipt, as JSON without a picture's name; an incomplete one ends with 3."""
    if out is None:
        print_json(cost)
    else:
        print_receipt(cost, out)
    _say_if_nothing_is_stored(uri, cost)
    if not cost["complete"]:
        raise typer.Exit(INCOMPLETE)


def _drawn(
    uri: str,
    out: Path,
    options: RenderOptions,
    receipt: Path | None,
    *,
    camera: str | None,
    image: dict[str, Any],
) -> dict[str, Any]:
    """Draw a session or an image."""
    if is_session(uri):
        has_camera = camera is not None
        return draw_session(uri, out, options, receipt, has_camera=has_camera)
    _tell_unused(options)
    return draw_to_file(uri, out, options, receipt=receipt, **image)


def is_session(uri: str) -> bool:
    """Whether a path names a session."""
    from brickfield.sessions import is_session as is_one

    return "://" not in uri and is_one(Path(uri))


def draw_session(
    uri: str,
    out: Path,
    options: RenderOptions,
    receipt: Path | None,
    *,
    has_camera: bool,
) -> dict[str, Any]:
    """Draw a session's scene into a PNG; return the receipt as plain values.

    Parameters
    ----------
    uri : str
        Folder of the session.
    out : Path
    options : RenderOptions
        Size, quality, budgets, background and overlays.
    receipt : Path or None
    has_camera : bool
        Whether the options' camera counts, not that of the session.
    """
    from brickfield.cli.commands.session import complain_of
    from brickfield.sessions import SessionManager
    from brickfield.viewer.export import SCENE_KEY, open_scene, render_scene, write_png
    from brickfield.viewer.receipts import least_true, notes_of
    from brickfield.writing import check_output, write_text

    manager = SessionManager()
    state = manager.scene(uri)
    is_offline = complain_of(manager.info(uri)["findings"])
    with messages().status("drawing"), open_scene(state) as scene:
        check_output(out, scene.sources, option="--output", kind="png")
        if receipt is not None:
            check_output(receipt, scene.sources, option="--receipt", kind="receipt")
        result = render_scene(scene, options, has_camera=has_camera)
    cost: dict[str, Any] = result.receipt.as_dict()
    if is_offline:  # a preview is no final picture of what it stands for
        cost["fidelity"] = least_true((cost["fidelity"], "limited"))
    notes = {**notes_of(cost["fidelity"]), SCENE_KEY: state.to_json()}
    write_png(out, result.image, notes)
    cost["complete"] = cost["complete"] and not is_offline
    if receipt is not None:
        write_text(receipt, json.dumps(cost, indent=2) + "\n")
    return cost


def _say_if_nothing_is_stored(uri: str, cost: dict[str, Any]) -> None:
    """A picture of fill values alone may be right, but is mostly a wrong name."""
    chunks = cost["chunks"]
    if chunks["wanted"] and chunks["missing"] == chunks["wanted"]:
        note(
            f"expected chunks in {uri}; found that no chunk is stored: see"
            ' "brickfield info"'
        )


def draw_to_file(
    uri: str,
    out: Path,
    options: RenderOptions,
    *,
    receipt: Path | None = None,
    **image: Any,
) -> dict[str, Any]:
    """Draw an image into a PNG and return the receipt as plain values.

    Neither file is written over what the image is read from.

    Parameters
    ----------
    uri : str
    out : Path
        File to write, in a folder that exists.
    options : RenderOptions
    receipt : Path, optional
        File for the receipt.
    **image
        Which image of several, as for :func:`brickfield.open_store`.
    """
    from brickfield.gpu import get_device
    from brickfield.store import open_store

    get_device()
    from brickfield.viewer.export import render_picture, scene_notes, write_png
    from brickfield.viewer.receipts import notes_of
    from brickfield.writing import check_output, write_text

    with messages().status("drawing"):
        store = open_store(uri, **image)
        try:
            check_output(out, [store.source], option="--output", kind="png")
            if receipt is not None:
                check_output(
                    receipt, [store.source], option="--receipt", kind="receipt"
                )
            result = render_picture(store, options)
            _tell_alone(store, options, image)
        finally:
            store.close(wait=False)
    notes = scene_notes(result, uri, options, image)
    write_png(out, result.image, {**notes_of(result.receipt.fidelity), **notes})
    cost: dict[str, Any] = result.receipt.as_dict()
    if receipt is not None:
        write_text(receipt, json.dumps(cost, indent=2) + "\n")
    return cost


def _tell_alone(store: Any, options: RenderOptions, image: dict[str, Any]) -> None:
    """Name what is for several images and was asked for of one."""
    tiles = getattr(store, "tiles", None)
    if image.get("mosaic") and len(tiles or ()) < 2:
        note("--mosaic changes nothing: found one image alone")
    if options.overlay.tiles.visible and tiles is None:
        note("--overlay tiles draws nothing: found no scene, project or mosaic")


def _checked_target(path: Path, option: str, suffix: str) -> Path:
    from brickfield.writing import usable_path

    path = usable_path(path, option)
    if suffix and path.suffix.lower() != suffix:
        msg = f"expected {option} to end in {suffix}; found {path}"
        raise OptionError(msg)
    folder = path.absolute().parent
    if not folder.is_dir():
        msg = f"expected {option} in a folder that exists; found no {folder}"
        raise OptionError(msg)
    return path


def _check_two(out: Path, receipt: Path) -> None:
    is_one = out.absolute() == receipt.absolute()
    if is_one or (out.exists() and receipt.exists() and out.samefile(receipt)):
        msg = f"expected --output and --receipt to be two files; found {out} for both"
        raise OptionError(msg)
