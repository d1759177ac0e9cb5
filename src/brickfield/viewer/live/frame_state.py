"""What a live view and its drawer tell each other: frozen values, both ways.

The window's thread owns layers, camera and options. It hands the render thread a
:class:`FrameState`, always the whole of it and the latest only; the render thread
answers with a :class:`ViewReport` for each picture. Nothing else is shared.

:func:`report_of` reads the report off the renderers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brickfield.loading import LoadingProgressTracker
from brickfield.model import (
    CameraState,
    Plane,
)
from brickfield.model.appearance import PLAIN, Lighting
from brickfield.model.requests import ChunkFailure, LoadingStatus
from brickfield.rendering import ObjectValue
from brickfield.rendering.overlays import OverlayState
from brickfield.store import LayerSnapshot
from brickfield.viewer.receipts.fidelity import Fidelity, fidelity_of
from brickfield.viewer.receipts.level_names import UNNAMED, LevelNames
from brickfield.viewer.receipts.measure import drawn_levels

if TYPE_CHECKING:
    from brickfield.rendering import OffscreenView

DEFAULT_BUDGET = 1 << 30


@dataclass(frozen=True, eq=False)
class FrameState:
    """Everything that a picture depends on.

    Attributes
    ----------
    layers : sequence of LayerSnapshot
        Drawn first to last.
    camera : CameraState or None
        Its viewport is in physical pixels.
    plane : Plane or None
        What a slice view shows.
    overlays : OverlayState
        How this view decorates the picture.
    objects : mapping
        Opaque objects beside the volumes, by a key that stays the same.
    size : tuple of int
        Width and height, logical pixels.
    pixel_ratio : float
        Physical pixels a logical one.
    moving_until : float
        Time (:func:`time.monotonic`) until which the camera counts as moving.
    target_error_px : float
    forced_level : int or None
    show_levels : bool
    lighting : Lighting
    background : tuple of float
        sRGB, 0 to 1.
    gpu_budget : int
        Bytes.
    is_playing : bool
        Whether a series is played: a time point is shown when it is due, coarser
        if need be.
    is_shown : bool
        Whether it is visible; a hidden view does nothing.
    """

    layers: Sequence[LayerSnapshot] = ()
    camera: CameraState | None = None
    plane: Plane | None = None
    overlays: OverlayState = field(default_factory=OverlayState)
    objects: Mapping[Hashable, ObjectValue] = field(default_factory=dict)
    size: tuple[int, int] = (1, 1)
    pixel_ratio: float = 1.0
    moving_until: float = 0.0
    target_error_px: float = 1.0
    forced_level: int | None = None
    show_levels: bool = False
    lighting: Lighting = PLAIN
    background: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gpu_budget: int = DEFAULT_BUDGET
    is_playing: bool = False
    is_shown: bool = False


@dataclass(frozen=True, eq=False)
class ViewReport:
    """What a view has come to.

    Attributes
    ----------
    image : ndarray, shape (h, w, 4), uint8, or None
        A new picture; None when only the rest is news.
    state : FrameState
        What it was drawn of.
    is_complete : bool
        Whether the picture is as good as the plan.
    is_moving : bool
    is_starting : bool
        Whether the renderer has not looked at the layers yet.
    has_renderer : bool
        Whether the renderer runs already, for this view or another one.
    is_drawing : bool
        Whether all data are on the GPU and only the drawing is left.
    has_base : bool
        Whether the coarse overview is there.
    fidelity : str
        One of :data:`brickfield.viewer.receipts.fidelity.Fidelity`.
    wanted, done : int
        Chunks of all layers, and those that were read or given up.
    arrived : int
        Chunks whose reads have ended, of whatever is wanted now.
    waiting : int
        Chunks that reads are out for.
    to_draw, drawn : int
        Chunks that shall lie on the GPU, and those that do or never will.
    rate : float
        Decoded bytes a second, lately.
    seconds_left : float or None
        Estimate; None while unknown.
    levels : tuple of int
        Finest and coarsest level among the drawn bricks; empty without bricks.
    factors : tuple of float
        How much coarser than the data these are, along the axis where it is most.
    level_names : LevelNames
        What levels and selections of the drawn layers are called.
    n_levels : int
        Of the layer with the most.
    is_coarsened : bool
        Whether the budget allows no finer picture.
    is_preview : bool
        Whether a layer stands for finer data that are not there.
    failures : tuple of ChunkFailure
        What could not be read.
    gpu_bytes, gpu_budget : int
    at_hand : tuple of bool
        For each time point of the timeline, whether it could be shown at once.
    frame_ms : float
        Duration of the last drawing, milliseconds.
    adapter : str
    error : str
        One sentence when nothing can be drawn; "" otherwise.
    notice : str
        One sentence when the picture is not what was asked for; "" otherwise.
    least_percent : float
        What was told of this work already: more to do is no step back.
    loads : tuple
        Where the counts of reads come from, to be read again: pairs of a
        LoadingProgressTracker and the name of a visual in it.
    """

    image: NDArray[np.uint8] | None = None
    state: FrameState = field(default_factory=FrameState)
    is_complete: bool = False
    is_moving: bool = False
    is_starting: bool = False
    has_renderer: bool = False
    is_drawing: bool = False
    has_base: bool = False
    fidelity: Fidelity = "improving"
    wanted: int = 0
    done: int = 0
    arrived: int = 0
    waiting: int = 0
    to_draw: int = 0
    drawn: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    levels: tuple[int, ...] = ()
    factors: tuple[float, ...] = ()
    level_names: LevelNames = UNNAMED
    n_levels: int = 0
    is_coarsened: bool = False
    is_preview: bool = False
    failures: tuple[ChunkFailure, ...] = ()
    gpu_bytes: int = 0
    gpu_budget: int = 0
    at_hand: tuple[bool, ...] = ()
    frame_ms: float = 0.0
    adapter: str = ""
    error: str = ""
    notice: str = ""
    least_percent: float = 0.0
    loads: tuple[tuple[LoadingProgressTracker, str], ...] = ()

    @property
    def percent(self) -> float:
        """Share of the work that is done, 0 to 100: half of it is reading.

        The other half is bringing what was read to the GPU. Below 100 while the
        picture itself is still to be drawn, and 0 before it is known what is wanted.
        """
        if self.is_starting or not (self.has_base or self.wanted):
            return 0.0
        read = self.done / self.wanted if self.wanted else 1.0
        # What is not planned yet is no further than what was read for it.
        drawn = self.drawn / self.to_draw if self.to_draw else read
        # Never back: chunks are added to the plan while it is refined.
        share = max(50.0 * (read + drawn), self.least_percent)
        return share if self.is_complete else min(share, 99.0)

    def counted_again(self) -> ViewReport:
        """Return the report with the reads of now. From any thread.

        The render thread reports between two drawings, and the first one on a slow
        device takes seconds, in which reads go on.
        """
        found = [tracker.status(name) for tracker, name in self.loads]
        if not found:
            return self
        # After another request the counts of the tracker and of this report do not
        # belong together.
        is_same_work = sum(status.wanted for status in found) == self.wanted
        return replace(
            self,
            waiting=sum(status.waiting for status in found),
            rate=sum(status.rate for status in found),
            seconds_left=_slowest(found),
            arrived=sum(status.done for status in found),
            done=sum(s.done for s in found) if is_same_work else self.done,
        )


def _slowest(loads: Sequence[LoadingStatus]) -> float | None:
    """Return the longest time left; one layer's guess says nothing of another's."""
    lefts = [status.seconds_left for status in loads if status.waiting]
    guesses = [s for s in lefts if s is not None]
    return max(guesses) if len(guesses) == len(lefts) and lefts else None


def report_of(view: OffscreenView, **known: Any) -> ViewReport:
    """Make a report; on the render thread.

    Parameters
    ----------
    view : OffscreenView
    **known
        Fields of the report that the drawer knows: `image`, `state`, `is_complete`,
        `is_moving`, `at_hand`, `frame_ms`.
    """
    manager = view.manager
    renderers = [r for r in manager.renderers if r.layer.visible]
    names_of_loads = [(r.layer.store.tracker, r.visual_id) for r in renderers]
    loads = [tracker.status(name) for tracker, name in names_of_loads]
    levels = drawn_levels(renderers)
    names = LevelNames.of(r.bricks.pyramid for r in renderers)
    is_done = bool(known["is_complete"]) and not known["is_moving"]
    return ViewReport(
        has_base=view.has_base,
        is_drawing=view.is_complete and not is_done,
        fidelity=fidelity_of(renderers, is_done=is_done),
        arrived=sum(s.done for s in loads),
        waiting=sum(s.waiting for s in loads),
        to_draw=sum(len(r.bricks.wanted) for r in renderers),
        drawn=sum(len(r.bricks.wanted) - len(r.bricks.missing) for r in renderers),
        factors=tuple(names.factors[n] for n in (min(levels), max(levels)))
        if levels
        else (),
        wanted=sum(s.wanted for s in loads),
        done=sum(s.done for s in loads),
        rate=sum(s.rate for s in loads),
        seconds_left=_slowest(loads),
        loads=tuple(names_of_loads),
        levels=(min(levels), max(levels)) if levels else (),
        level_names=names,
        n_levels=len(names.factors),
        is_coarsened=any(r.plan and r.plan.is_coarsened for r in renderers),
        is_preview=any(r.layer.store.is_preview for r in renderers),
        failures=tuple(f for r in renderers for f in r.failures),
        gpu_bytes=manager.gpu_bytes,
        gpu_budget=manager.gpu_budget,
        adapter=view.gpu.adapter,
        **known,
    )


_PICTURE = (
    "camera",
    "plane",
    "overlays",
    "size",
    "pixel_ratio",
    "target_error_px",
    "forced_level",
    "show_levels",
    "lighting",
    "background",
    "gpu_budget",
)
_LAYER = ("selections", "visible", "versions", "world", "n_changes")


def shows_same(a: FrameState, b: FrameState) -> bool:
    """Tell whether two states give the same picture.

    They often do: owners of layers tell of much that has nothing to do with pixels.

    Parameters
    ----------
    a, b : FrameState
    """
    return (
        all(getattr(a, name) == getattr(b, name) for name in _PICTURE)
        and len(a.layers) == len(b.layers)
        and all(map(_is_same_layer, a.layers, b.layers))
        and a.objects.keys() == b.objects.keys()
        and all(a.objects[key] is b.objects[key] for key in a.objects)
    )


def _is_same_layer(a: LayerSnapshot, b: LayerSnapshot) -> bool:
    return (
        a.layer is b.layer
        and a.store is b.store
        and a.appearance is b.appearance
        and all(getattr(a, name) == getattr(b, name) for name in _LAYER)
    )
