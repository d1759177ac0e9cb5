"""From a store to ordinary napari layers.

Invariant: every layer is a plain multiscale ``Image`` or ``Labels`` layer whose
levels are lazy arrays of the store, so napari's controls, menus and writers apply to
it as to any other, and the store is found again from the layer's data alone. Opening
reads metadata and at most the coarsest level; either all layers of an image come to
be or none does. A store that was opened here is closed when nothing shows it any
more (:mod:`brickfield.plugin.layers.holding`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import BrickfieldError, OptionError
from brickfield.model import (
    OTHER_LABELS,
    AffineTransform,
    Channel,
    ImageInfo,
    Selection,
)
from brickfield.plugin.layers.auto_contrast import (
    Limits,
    limits_of,
    mode_of,
    patience_s,
)
from brickfield.plugin.layers.gl_context import guard_removals
from brickfield.plugin.layers.holding import watch
from brickfield.plugin.layers.notifications import tell_of
from brickfield.plugin.layers.transforms import slider_indices
from brickfield.plugin.settings import settings
from brickfield.plugin.slicing.lazy import answer
from brickfield.plugin.units import load_units
from brickfield.plugin.window_thread import (
    close_when_unused,
    deliverer,
    is_window_thread,
)
from brickfield.qt import run_beside
from brickfield.sources import ChunkSource
from brickfield.sources.images import without_image
from brickfield.store import ChunkedImageStore, LazyLevel, StoreHold, open_store
from brickfield.viewer import channel_color

if TYPE_CHECKING:
    from napari.layers import Layer

logger = logging.getLogger(__name__)

LayerData = tuple[Any, dict[str, Any], str]
"""Levels, what napari's layer is made with, and "image" or "labels"."""
ROOM = 0.1
"""Round the images of a scene, as a share of the largest."""
MOST_APART = 50
"""Images of one store that are opened as layers of their own."""
MOST_CHANNELS = 12
"""Images with more get one layer with a slider for the channel."""
KEY = "brickfield"
"""Of what a layer's metadata say about where it is from."""


def open_layers(uri_or_arrays: Any, **options: Any) -> list[Layer]:
    """Open an image as napari layers, which belong to no viewer yet.

    Parameters
    ----------
    uri_or_arrays : str, Path, array or list of arrays
    **options
        As for :func:`brickfield.open_store`; `image` may be a list of names.

    Returns
    -------
    list of napari.layers.Layer
        One for each channel, then label images; image after image.
    """
    from napari.layers import Layer

    return [Layer.create(*data) for data in open_layer_data(uri_or_arrays, **options)]


def open_layer_data(
    uri_or_arrays: Any,
    *,
    image: str | Sequence[str] | None = None,
    apart: bool = False,
    **options: Any,
) -> list[LayerData]:
    """Open images as napari's layer data tuples; see :func:`open_layers`.

    Parameters
    ----------
    uri_or_arrays
    image : str, sequence of str, optional
        Names of images in the file.
    apart : bool
        Whether each image of a scene, a project or a collection gets layers of its own,
        where it lies; at most :data:`MOST_APART`.
    **options

    Raises
    ------
    OptionError
        If there are more images, or images are named, too.
    """
    if apart:
        image = _all_images(uri_or_arrays, image)
    if image is None:
        return _layer_data(uri_or_arrays, options)
    found: list[LayerData] = []
    for name in [image] if isinstance(image, str) else dict.fromkeys(image):
        wanted = {**options, "image": name}
        chosen = without_image(str(uri_or_arrays), wanted)
        found += _layer_data(uri_or_arrays, chosen, name)
    return found


def _all_images(uri_or_arrays: Any, image: object) -> list[str] | None:
    """Name all images of a store; None where there is but one."""
    if image is not None:
        msg = f"expected all images apart, or some of them; found both: {image!r}"
        raise OptionError(msg)
    if not isinstance(uri_or_arrays, str | PathLike):
        return None
    with open_store(uri_or_arrays, mosaic=False) as store:
        names = list(store.info.series)
    if len(names) > MOST_APART:
        msg = (
            f"expected at most {MOST_APART} images to open apart; found {len(names)}:"
            " open them as one, or name some"
        )
        raise OptionError(msg)
    return names or None


def _layer_data(
    uri_or_arrays: Any, options: dict[str, Any], title: str = ""
) -> list[LayerData]:
    if is_window_thread():
        # Made here: what comes later finds its way to the window by it.
        deliverer()
    read = partial(_read, uri_or_arrays, options, title, patience_s())
    store, found = run_beside(read, name="brickfield-open")
    tell_of(store, options)
    _guard_window()
    return found


def _read(
    uri_or_arrays: Any, options: dict[str, Any], title: str, wait_s: float
) -> tuple[ChunkedImageStore, list[LayerData]]:
    """Open an image and its labels; on any thread."""

    def described(options: dict[str, Any], store: ChunkedImageStore) -> list[LayerData]:
        reopen = partial(_opened, uri_or_arrays, options)
        return layer_data_of(store, options, reopen, wait_s)

    _load_for_napari()
    store = _opened(uri_or_arrays, options)
    found = described(options, store)
    if title and not options.get("label") and len(store.info.series) > 1:
        _rename(found, store.info, title.strip("/"))
    is_stored = isinstance(uri_or_arrays, str | PathLike)
    for name in store.labels if is_stored and "label" not in options else ():
        more = {**options, "label": name}
        try:
            labels = _opened(uri_or_arrays, more)
        except BrickfieldError as error:
            logger.warning("label image %s is left out: %s", name, error)
            continue
        found += described(more, labels)
    return store, found


def _load_for_napari() -> None:
    """Load what napari loads on the window's thread with its first image."""
    with suppress(ImportError):
        import_module("scipy.ndimage")
    load_units()


def layers_of_source(make: Callable[[], ChunkSource]) -> list[LayerData]:
    """Describe the layers of a source that is made on a thread, beside the window.

    Parameters
    ----------
    make : callable
        Must not touch windows or layers.
    """
    wait_s = patience_s()

    def read() -> list[LayerData]:
        store = ChunkedImageStore(make())
        close_when_unused(store)
        _load_for_napari()
        return layer_data_of(store, wait_s=wait_s)

    if is_window_thread():
        deliverer()
    return run_beside(read, name="brickfield-open")


def _rename(layers: list[LayerData], info: ImageInfo, title: str) -> None:
    """Name the layers of one image out of several as it was asked for."""
    old = _title(info)
    for _levels, look, _kind in layers:
        look["name"] = title + str(look["name"]).removeprefix(old)


def _guard_window() -> None:
    if is_window_thread():
        import napari

        viewer = napari.current_viewer()
        guard_removals(viewer)
        if viewer is not None:
            watch(viewer.layers)


def _opened(uri_or_arrays: Any, options: dict[str, Any]) -> ChunkedImageStore:
    chosen = settings()
    # In a window tiles can be moved, which takes room; a picture has none to spare.
    store = open_store(uri_or_arrays, **{"margin": ROOM, **options})
    if chosen.concurrency:
        store.source.concurrency = chosen.concurrency
    close_when_unused(store)
    return store


def layer_data_of(
    store: ChunkedImageStore,
    options: dict[str, Any] | None = None,
    reopen: Callable[[], ChunkedImageStore] | None = None,
    wait_s: float | None = None,
) -> list[LayerData]:
    """Describe the layers of a store, one for each channel.

    Parameters
    ----------
    store : ChunkedImageStore
    options : dict, optional
        What it was opened with, for the layers' metadata.
    reopen : callable, optional
        Opens the store again, once its layers had left napari and come back.
    wait_s : float, optional
        How long contrast limits are waited for; later ones are set on the layers.
    """
    hold = StoreHold(store, reopen)
    info = store.info
    is_labels = info.is_labels and info.pyramid.dtype.kind in "biu"
    channels = channels_of(info)
    limits = [None] * len(channels) if is_labels else limits_of(store, channels, wait_s)
    return [
        _one_layer(hold, store.info, (channel, limit), is_labels, options or {})
        for channel, limit in zip(channels, limits, strict=True)
    ]


def channels_of(info: ImageInfo) -> list[int | None]:
    """List the channels that get a layer each; None for all in one layer."""
    axis = info.pyramid.channel_axis
    n = 1 if axis is None else int(info.pyramid.levels[0].shape[axis])
    return [None] if n > MOST_CHANNELS else list(range(n))


def _title(info: ImageInfo) -> str:
    return info.image or info.name


def _one_layer(
    hold: StoreHold,
    info: ImageInfo,
    shown: tuple[int | None, Limits | None],
    is_labels: bool,
    options: dict[str, Any],
) -> LayerData:
    channel, limits = shown
    # napari would view a mask's voxels as bytes, which nothing lazy can do.
    dtype = "u1" if is_labels and info.pyramid.dtype.kind == "b" else None
    levels = [
        LazyLevel(hold, i, channel, dtype=dtype, reading=answer)
        for i in range(info.pyramid.n_levels)
    ]
    is_one = len(channels_of(info)) == 1
    origin = {"uri": info.uri, "channel": channel, "options": options}
    look = {
        "name": _title(info)
        if is_one
        else f"{_title(info)}: {_channel(info, channel).name}",
        "metadata": {KEY: origin},
        "multiscale": True,
        **_place(levels[0], info),
    }
    if is_labels:
        return _as_labels(levels, look | _look_of_labels(info))
    assert limits is not None
    # Needs napari itself, which importing this module must not load.
    from brickfield.plugin.layers.levels import LazyLevels

    look |= _look_of_image(info, channel, is_one=is_one)
    look["rendering"] = mode_of(hold.store, channels_of(info))
    look["contrast_limits"] = limits.window
    return LazyLevels(levels), look, "image"


def _look_of_labels(info: ImageInfo) -> dict[str, Any]:
    """Return colours and features that the store gives labels; napari's else."""
    look: dict[str, Any] = {}
    if info.label_colors:
        from napari.utils.colormaps import DirectLabelColormap

        table: dict[int | None, Any] = {
            label: np.array(rgba) / 255 for label, rgba in info.label_colors
        }
        table[None] = np.array(OTHER_LABELS) / 255
        table.setdefault(0, np.zeros(4))
        look["colormap"] = DirectLabelColormap(color_dict=table)
    if info.label_properties:
        names = dict.fromkeys(k for _, kept in info.label_properties for k, _ in kept)
        look["features"] = {
            "index": [label for label, _ in info.label_properties],
            **{
                n: [dict(kept).get(n) for _, kept in info.label_properties]
                for n in names
            },
        }
    return look


def _as_labels(levels: list[LazyLevel], look: dict[str, Any]) -> LayerData:
    """Keep to what napari takes for levels of labels: ever smaller ones, or one."""
    smaller = levels[:1]
    for level in levels[1:]:
        if level.size < smaller[-1].size:
            smaller.append(level)
    if len(smaller) == 1:
        return smaller[0], {**look, "multiscale": False}, "labels"
    return smaller, look, "labels"


def _channel(info: ImageInfo, channel: int | None) -> Channel:
    known = info.channels
    at = channel or 0
    return known[at] if at < len(known) else Channel(str(at))


def _look_of_image(
    info: ImageInfo, channel: int | None, *, is_one: bool
) -> dict[str, Any]:
    about = _channel(info, channel)
    color = about.color if about.color and any(about.color) else None
    if is_one and (color is None or min(color) == 255):
        colormap = "gray"
    else:
        red, green, blue = color or channel_color(channel or 0)
        colormap = f"#{red:02x}{green:02x}{blue:02x}"
    is_any_active = any(c.is_active for c in info.channels)
    return {
        "colormap": colormap,
        "blending": "translucent" if is_one else "additive",
        # Three or four voxels along the last axis are no colours.
        "rgb": False,
        "visible": about.is_active or is_one or not is_any_active,
    }


def _place(level: LazyLevel, info: ImageInfo) -> dict[str, Any]:
    pyramid = level.pyramid
    about = pyramid.levels[0]
    stored = level.stored_axes
    place = {
        "scale": [about.voxel_size[a] if a >= 0 else 1.0 for a in stored],
        "translate": [about.translation[a] if a >= 0 else 0.0 for a in stored],
        "units": [_unit(pyramid.axes[a].unit if a >= 0 else None) for a in stored],
        "axis_labels": level.axis_names,
    }
    if info.placement is not None:
        place["affine"] = _affine(info.placement, len(stored), level.n_spatial)
    return place


def _affine(
    placement: AffineTransform, n_axes: int, n_spatial: int
) -> NDArray[np.float64]:
    """Spread what turns an image in space over all axes of a layer."""
    k = n_spatial + 1
    result = np.eye(n_axes + 1)
    matrix = placement.matrix
    result[-k:, -k:] = matrix[-k:, -k:]
    return result


def _unit(name: str | None) -> str:
    """Return a unit that napari understands: one word that pint knows."""
    import pint

    if not name or not name.isalpha():
        return "pixel"
    try:
        return str(pint.Unit(name))
    except pint.errors.PintError:
        return "pixel"


# -- from a layer back ------------------------------------------------------------


def level_of(layer: Any) -> LazyLevel | None:
    """Return the lazy array of a layer's finest level, if it has one."""
    data: Any = getattr(layer, "data", None)
    if getattr(layer, "multiscale", False):
        data = data[0]
    return data if isinstance(data, LazyLevel) else None


def store_behind(layer: Any) -> ChunkedImageStore | None:
    """Return the store whose image a layer shows whole, None without one."""
    level = level_of(layer)
    return level.store if level is not None and level.is_whole else None


def selection_of(layer: Any, point: tuple[float, ...]) -> Selection:
    """Return the store's selection that a layer shows at a viewer's point.

    Parameters
    ----------
    layer : napari layer
        With a store behind it.
    point : tuple of float
        World coordinates on all the viewer's axes (``viewer.dims.point``).
    """
    level = level_of(layer)
    if level is None:
        return ()
    return level.selection_at(slider_indices(layer, point))


def channel_of(layer: Any) -> int | None:
    """Return the channel that a layer shows, None if it has all or is not ours."""
    level = level_of(layer)
    if level is None:
        return None
    pyramid = level.pyramid
    axis = pyramid.channel_axis
    if axis is None:
        return 0
    pick = level.picks[pyramid.other_axes.index(axis)]
    return None if isinstance(pick, range) else pick
