"""A layer: data, appearance, transform and change counters; and what it is at a moment.

Invariant: a layer holds values only. It owns no texture, knows no view, and each
change of it bumps exactly the version of those who must act: `data_version` when
voxels changed (bricks are forgotten), `colormap_version` when colours changed
(tables are rewritten in place), `geometry_version` when what is drawn needs other
resources (the renderer is rebuilt). Everything else a view reads again at each
frame, so such a change only asks for a frame.

Views draw a :class:`LayerSnapshot`, a frozen value that any thread may read. A
renderer compares the versions in it with those in the snapshot that it drew before,
so there is no third copy of a version that could fall behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.loading import ChunkManager, check_selection
from brickfield.model import (
    AffineTransform,
    Int3,
    Pyramid,
    Selection,
    VersionCounter,
)
from brickfield.model.appearance import Appearance, ChannelAppearance, Lighting
from brickfield.store.image_store import ChunkedImageStore


class ChunkedLayer:
    """One image in a scene. Main thread only.

    Parameters
    ----------
    store : ChunkedImageStore
        Not closed with the layer.
    appearance : Appearance, optional
        Default: each channel that the store marks active (at most as many as there
        are), gray, with estimated contrast.
    selections : sequence of tuple of int, optional
        Index on the non-spatial axes for each drawn channel; default the first.
    world : AffineTransform, optional
        Data space (index of level 0, z, y, x) to world; default where the store says
        it lies.
    visible : bool
    follows_grid : bool
        Whether it keeps its place by itself when the voxels of a store that grows get
        other indices. Where False, whoever made it calls :meth:`take_grid` then.

    Attributes
    ----------
    data_version, colormap_version, geometry_version : VersionCounter
    render_callbacks : list of callable
        Called without arguments when a frame is needed.
    """

    def __init__(
        self,
        store: ChunkedImageStore,
        appearance: Appearance | None = None,
        selections: Sequence[Selection] | None = None,
        *,
        world: AffineTransform | None = None,
        visible: bool = True,
        follows_grid: bool = True,
    ) -> None:
        if selections is None:
            n = 1 if appearance is None else len(appearance.channels)
            selections = [store.default_selection(i) for i in range(n)]
        if appearance is None:
            appearance = Appearance(
                channels=tuple(
                    ChannelAppearance(contrast=store.estimate_contrast(s))
                    for s in selections
                ),
                is_labels=store.info.is_labels,
            )
        self._store = store
        self._selections = _checked(store, appearance, selections)
        self._appearance = appearance
        self._world = world or store.info.world
        self._visible = visible
        self.data_version = VersionCounter()
        self.colormap_version = VersionCounter()
        self.geometry_version = VersionCounter()
        self.render_callbacks: list[Callable[[], None]] = []
        store.reloaded.connect(self._take_anew)
        store.changed.connect(self.request_render)
        store.grown.connect(self.request_render)
        if follows_grid:
            store.laid_out.connect(self._lay_out)

    def request_render(self) -> None:
        """Request a frame from every view that listens."""
        for callback in list(self.render_callbacks):
            callback()

    @property
    def store(self) -> ChunkedImageStore:
        """The data."""
        return self._store

    # -- looks -------------------------------------------------------------------

    @property
    def appearance(self) -> Appearance:
        """How it looks."""
        return self._appearance

    @appearance.setter
    def appearance(self, value: Appearance) -> None:
        self.show(value, self._selections)

    @property
    def selections(self) -> tuple[Selection, ...]:
        """Index on the non-spatial axes, one for each drawn channel."""
        return self._selections

    @selections.setter
    def selections(self, value: Sequence[Selection]) -> None:
        self.show(self._appearance, value)

    def show(self, appearance: Appearance, selections: Sequence[Selection]) -> None:
        """Change appearance and selections together, as another number of channels requires.

        Parameters
        ----------
        appearance : Appearance
        selections : sequence of Selection
            For each channel, the index on every non-spatial axis.

        Raises
        ------
        OptionError
            If there is not one selection of the image for each channel.
        """
        selections = _checked(self._store, appearance, selections)
        old, self._appearance = self._appearance, appearance
        self._selections = selections
        dtype = self._store.pyramid.dtype
        if _needs_other_resources(old, appearance, dtype):
            self.geometry_version.bump()
        elif _has_other_colors(old, appearance):
            self.colormap_version.bump()
        self.request_render()

    # -- place -------------------------------------------------------------------

    @property
    def world(self) -> AffineTransform:
        """Data space (index of level 0) to world."""
        return self._world

    @world.setter
    def world(self, value: AffineTransform) -> None:
        self._world = value
        self.request_render()

    @property
    def visible(self) -> bool:
        """Whether it is drawn."""
        return self._visible

    @visible.setter
    def visible(self, value: bool) -> None:
        self._visible = bool(value)
        self.request_render()

    # -- data --------------------------------------------------------------------

    def refresh(self) -> None:
        """Read everything again, because the stored voxels changed."""
        self._store.forget()
        self._take_anew()

    def _lay_out(self, shift: Int3) -> None:
        """Follow a store whose voxels have larger indices now."""
        z, y, x = shift
        back = AffineTransform.from_scale((1.0, 1.0, 1.0), (-z, -y, -x))
        self.take_grid(self._world @ back)

    def take_grid(self, world: AffineTransform) -> None:
        """Set the place of a layer whose store has its voxels at other indices now.

        Parameters
        ----------
        world : AffineTransform
            Data space (index of level 0 as it is now) to world.
        """
        self._world = world
        self.geometry_version.bump()
        self.request_render()

    def _take_anew(self) -> None:
        self.data_version.bump()
        self.request_render()


class LayerVersions(NamedTuple):
    """The change counters of a layer at one moment."""

    data: int
    colormap: int
    geometry: int


@dataclass(frozen=True, eq=False)
class LayerSnapshot:
    """One layer at one moment.

    Attributes
    ----------
    layer : ChunkedLayer
        Source layer; used only for identity comparison.
    store : ChunkedImageStore
    appearance : Appearance
    selections : tuple of tuple of int
    world : AffineTransform
    visible : bool
    versions : LayerVersions
    ahead : tuple of tuple of int
        Selections of the time points that come next, while a series is played.
    timeline : tuple of tuple of int
        Selections of every time point, while a panel shows which are loaded.
    n_changes : int
        Changes of single chunks that were marked in the store.
    pyramid : Pyramid
        Of the store, which may grow.
    loader : ChunkManager
        Of the store, which has another one for another grid.
    """

    layer: ChunkedLayer
    store: ChunkedImageStore
    appearance: Appearance
    selections: tuple[Selection, ...]
    world: AffineTransform
    visible: bool
    versions: LayerVersions
    ahead: tuple[Selection, ...] = ()
    timeline: tuple[Selection, ...] = ()
    n_changes: int = 0
    pyramid: Pyramid = field(kw_only=True)
    loader: ChunkManager = field(kw_only=True)

    @classmethod
    def of(cls, layer: ChunkedLayer, **times: tuple[Selection, ...]) -> LayerSnapshot:
        """Take a snapshot; on the thread that owns the layer.

        Parameters
        ----------
        layer : ChunkedLayer
        **times
            `ahead` and `timeline`.
        """
        return cls(
            layer,
            layer.store,
            layer.appearance,
            layer.selections,
            layer.world,
            layer.visible,
            LayerVersions(
                layer.data_version.value,
                layer.colormap_version.value,
                layer.geometry_version.value,
            ),
            n_changes=layer.store.changes.version,
            pyramid=layer.store.pyramid,
            loader=layer.store.manager,
            **times,
        )

    def lit(self, lighting: Lighting, *, show_levels: bool) -> LayerSnapshot:
        """Return the layer with what a view decides of its look.

        Parameters
        ----------
        lighting : Lighting
        show_levels : bool
            Whether colours tell levels instead of values.
        """
        look = self.appearance
        if look.lighting == lighting and look.show_levels == show_levels:
            return self
        look = replace(look, lighting=lighting, show_levels=show_levels)
        return replace(self, appearance=look)


def _checked(
    store: ChunkedImageStore, appearance: Appearance, selections: Sequence[Selection]
) -> tuple[Selection, ...]:
    if len(selections) != len(appearance.channels):
        msg = (
            f"expected one selection for each of {len(appearance.channels)} channels;"
            f" found {len(selections)}: change both with show()"
        )
        raise OptionError(msg)
    checked = tuple(tuple(int(i) for i in s) for s in selections)
    for selection in checked:
        check_selection(store.pyramid, selection)
    return checked


def _needs_other_resources(
    old: Appearance, new: Appearance, dtype: np.dtype[np.generic]
) -> bool:
    if len(old.channels) != len(new.channels) or old.is_labels != new.is_labels:
        return True
    # The texture format of 64-bit labels depends on the number of colours.
    folds = new.is_labels and dtype.itemsize == 8
    return folds and _n_label_colors(old) != _n_label_colors(new)


def _n_label_colors(look: Appearance) -> int:
    return 0 if look.label_colors is None else len(look.label_colors)


def _has_other_colors(old: Appearance, new: Appearance) -> bool:
    return (
        _is_other(old.label_colors, new.label_colors)
        or old.label_overrides != new.label_overrides
        or any(
            _is_other(a.lut, b.lut)
            for a, b in zip(old.channels, new.channels, strict=True)
        )
    )


def _is_other(old: NDArray[np.uint8] | None, new: NDArray[np.uint8] | None) -> bool:
    if old is None or new is None:
        return old is not new
    return old is not new and not np.array_equal(old, new)
