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
from typing import TYPE_CHECKING, Any, NamedTuple

from brickfield.errors import BrickfieldError, OptionError
from brickfield.loading import default_cache
from brickfield.model import (
    ImageInfo,
    Selection,
)
from brickfield.plugin.layers.auto_contrast import (
    patience_s,
)
from brickfield.plugin.layers.describe import (
    LayerData,
    channels_of,
    layer_data_of,
    title_of,
)
from brickfield.plugin.layers.gl_context import guard_removals
from brickfield.plugin.layers.holding import watch
from brickfield.plugin.layers.notifications import tell_of
from brickfield.plugin.layers.transforms import slider_indices
from brickfield.plugin.settings import settings
from brickfield.plugin.units import load_units
from brickfield.plugin.window_thread import (
    close_when_unused,
    deliverer,
    is_window_thread,
)
from brickfield.qt import run_beside
from brickfield.sources import ChunkSource, MadeOfParts
from brickfield.sources.images import without_image
from brickfield.store import ChunkedImageStore, LazyLevel, open_store

if TYPE_CHECKING:
    from napari.layers import Layer

logger = logging.getLogger(__name__)

ROOM = 0.1
"""Round the images of a scene, as a share of the largest."""
_CHOICES = {"series", "well", "field", "label", "mosaic"}
MOST_APART = 50
"""Images of one store that are opened as layers of their own."""
SHARE_KEPT = 0.5
"""Of the RAM budget that what is sampled for an overview may take and be kept."""
LONGEST_S = 10.0
"""Most seconds for which reading waits for a view that is still being made.

It comes within two on an idle machine, and one that fails says so.
"""


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


def _nobody(_found: list[LayerData]) -> None:
    """Hear what was opened, and do nothing."""


class _Coming(NamedTuple):
    """What becomes of layers; see :func:`open_layer_data`."""

    on_found: Callable[[list[LayerData]], None]
    is_drawn_soon: bool


def open_layer_data(
    uri_or_arrays: Any,
    *,
    image: str | Sequence[str] | None = None,
    apart: bool = False,
    on_found: Callable[[list[LayerData]], None] = _nobody,
    is_drawn_soon: bool = False,
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
    on_found : callable, optional
        Told of what was opened before napari's libraries are loaded for it.
    is_drawn_soon : bool
        Whether a view of the dock will ask for the layers' voxels in a moment.
    **options

    Raises
    ------
    OptionError
        If there are more images, or images are named, too.
    """
    if apart:
        image = _all_images(uri_or_arrays, image)
    coming = _Coming(on_found, is_drawn_soon)
    if image is None:
        return _layer_data(uri_or_arrays, options, coming)
    found: list[LayerData] = []
    for name in [image] if isinstance(image, str) else dict.fromkeys(image):
        wanted = {**options, "image": name}
        chosen = without_image(str(uri_or_arrays), wanted)
        found += _layer_data(uri_or_arrays, chosen, coming, name)
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
    uri_or_arrays: Any,
    options: dict[str, Any],
    coming: _Coming,
    title: str = "",
) -> list[LayerData]:
    if is_window_thread():
        # Made here: what comes later finds its way to the window by it.
        deliverer()
    if coming.is_drawn_soon:
        opened = partial(_opened_together, uri_or_arrays)
    else:
        opened = partial(_opened, uri_or_arrays)
    read = partial(_read, uri_or_arrays, options, title, patience_s(), opened)
    store, found = run_beside(read, name="brickfield-open")
    coming.on_found(found)
    run_beside(load_for_napari, name="brickfield-open")
    tell_of(store, options)
    _guard_window()
    return found


def _read(
    uri_or_arrays: Any,
    options: dict[str, Any],
    title: str,
    wait_s: float,
    opened: Callable[[dict[str, Any]], ChunkedImageStore],
) -> tuple[ChunkedImageStore, list[LayerData]]:
    """Open an image and its labels; on any thread."""

    def described(options: dict[str, Any], store: ChunkedImageStore) -> list[LayerData]:
        reopen = partial(_opened, uri_or_arrays, options)
        return layer_data_of(store, options, reopen, wait_s)

    load_units()
    store = opened(options)
    if store.info.beside and not _CHOICES & options.keys():
        return store, _side_by_side(opened, options, store, described)
    found = described(options, store)
    if title and not options.get("label") and len(store.info.series) > 1:
        _rename(found, store.info, title.strip("/"))
    is_stored = isinstance(uri_or_arrays, str | PathLike)
    for name in store.labels if is_stored and "label" not in options else ():
        more = {**options, "label": name}
        try:
            labels = opened(more)
        except BrickfieldError as error:
            logger.warning("label image %s is left out: %s", name, error)
            continue
        found += described(more, labels)
    return store, found


def _side_by_side(
    opened: Callable[[dict[str, Any]], ChunkedImageStore],
    options: dict[str, Any],
    first: ChunkedImageStore,
    described: Callable[[dict[str, Any], ChunkedImageStore], list[LayerData]],
) -> list[LayerData]:
    """Describe what lies in one coordinate system and shows different things."""
    found: list[LayerData] = []
    for i, name in enumerate(first.info.beside[:MOST_APART]):
        more = {**options, "series": name}
        try:
            store = opened(more) if i else first
        except BrickfieldError as error:
            logger.warning("image %s is left out: %s", name, error)
            continue
        layers = described(more, store)
        _rename(layers, store.info, name)
        found += layers
    return found


def load_for_napari() -> None:
    """Load what napari loads on the window's thread with its first image."""
    with suppress(ImportError):
        import_module("scipy.ndimage")
    load_units()


def load_for_shapes() -> None:
    """Load what napari loads with its first image, points and shapes; on any thread."""
    load_for_napari()
    with suppress(ImportError):
        import_module("pandas")  # of the table of points' and shapes' features


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
        load_for_napari()
        return layer_data_of(store, wait_s=wait_s)

    if is_window_thread():
        deliverer()
    return run_beside(read, name="brickfield-open")


def _rename(layers: list[LayerData], info: ImageInfo, title: str) -> None:
    """Name the layers of one image out of several as it was asked for."""
    old = title_of(info)
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


def _opened_together(uri_or_arrays: Any, options: dict[str, Any]) -> ChunkedImageStore:
    """Open an image and read nothing of it until a view of the dock has asked.

    Only where it saves passes: where the RAM budget does not keep what contrast,
    napari's canvas and the view each read for the overview.
    """
    store = _opened(uri_or_arrays, options)
    if isinstance(store.source, MadeOfParts):
        level = store.pyramid.levels[-1]
        n_bytes = level.read_factor * level.n_voxels * level.dtype.itemsize
        if (
            n_bytes * len(channels_of(store.info))
            > SHARE_KEPT * default_cache().budget_bytes
        ):
            store.manager.gathering.begin(LONGEST_S)
    return store


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
