"""The levels of a mosaic as those of any image: time and channels as the tiles have."""

from __future__ import annotations

from brickfield.model import (
    Axis,
    Finding,
    ImageInfo,
    Int3,
    Pyramid,
    ScaleLevel,
    choose_chunk_shape,
)
from brickfield.sources.geometry import ROOM_LEFT_OUT, over_axes, spatial_positions
from brickfield.sources.mosaic.grid import CHUNK, Grid


def pyramid_of(first: ImageInfo, grid: Grid, n_channels: int | None = None) -> Pyramid:
    """Put the levels of a mosaic together.

    Parameters
    ----------
    first : ImageInfo
        Of the first tile: data type, channels, times and units are its.
    grid : Grid
    n_channels : int, optional
        Default as many as the first tile has.
    """
    axes = _axes(first.pyramid, has_channels=n_channels is not None)
    levels = []
    base = first.pyramid.levels[0]
    spatial = spatial_positions(axes)
    lead = [base.shape[a] for a in first.pyramid.other_axes]
    others = [i for i in range(len(axes)) if i not in spatial]
    step = [base.voxel_size[a] for a in first.pyramid.other_axes]
    start = [base.translation[a] for a in first.pyramid.other_axes]
    if n_channels is not None:
        if first.pyramid.channel_axis is None:
            lead, step, start = [*lead, 1], [*step, 1.0], [*start, 0.0]
        at = next(i for i, axis in enumerate(axes) if axis.kind == "channel")
        lead[at] = n_channels
    for number, (shape, size, origin) in enumerate(
        zip(grid.shapes, grid.spacings, grid.origins, strict=True)
    ):
        whole = [int(v) for v in over_axes(shape, axes, 1)]
        chunk = [int(v) for v in over_axes([min(CHUNK, n) for n in shape], axes, 1)]
        sizes, shifts = (
            list(over_axes(size, axes, 1.0)),
            list(over_axes(origin, axes, 0.0)),
        )
        for axis, n, s, t in zip(others, lead, step, start, strict=True):
            whole[axis], sizes[axis], shifts[axis] = n, s, t
        chunk_zyx = (min(CHUNK, shape[0]), min(CHUNK, shape[1]), min(CHUNK, shape[2]))
        levels.append(
            ScaleLevel(
                path=str(number),
                shape=tuple(whole),
                dtype=base.dtype,
                storage_chunk_shape=tuple(chunk),
                voxel_size=tuple(sizes),
                translation=tuple(shifts),
                spatial_axes=spatial,
                chunk_shape=choose_chunk_shape(shape, chunk_zyx, edge=CHUNK),
                fill_value=base.fill_value,
            )
        )
    return Pyramid(axes, tuple(levels))


def room_left_out(shape: Int3, before: Int3) -> Finding:
    """Tell that a mosaic ends with its tiles.

    Parameters
    ----------
    shape, before : tuple of int
        Voxels (z, y, x) of level 0, without and with room round the tiles.
    """
    now, all_ = (" × ".join(map(str, n)) for n in (shape, before))
    text = (
        f"left out the empty room round the images: {now} of {all_} voxels are written,"
        " each where it is"
    )
    return Finding("info", ROOM_LEFT_OUT, "", text)


def _axes(pyramid: Pyramid, *, has_channels: bool) -> tuple[Axis, ...]:
    """Axes of the mosaic: those beside space as they are, then z, y and x."""
    unit = next((a.unit for a in pyramid.axes if a.kind == "space"), None)
    others = tuple(pyramid.axes[a] for a in pyramid.other_axes)
    if has_channels and pyramid.channel_axis is None:
        others = (*others, Axis("c", "channel"))
    return (*others, *(Axis(name, "space", unit) for name in "zyx"))
