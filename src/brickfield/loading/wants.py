"""From requests to lanes: one for each selection, checked against the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brickfield.errors import OptionError
from brickfield.loading.queue import Lane
from brickfield.loading.storage_layout import check_selection
from brickfield.model.chunks import Selection, unpack_keys
from brickfield.model.requests import ChunkedDataRequest
from brickfield.model.scales import Pyramid


def lanes_of(
    requests: ChunkedDataRequest | Sequence[ChunkedDataRequest],
    visual_id: str,
    pyramid: Pyramid,
) -> list[Lane]:
    """Make the lanes of one visual.

    Parameters
    ----------
    requests : ChunkedDataRequest or sequence of ChunkedDataRequest
        Several of one selection are joined.
    visual_id : str
    pyramid : Pyramid

    Raises
    ------
    OptionError
        If the image has no such selection or chunk.
    """
    if isinstance(requests, ChunkedDataRequest):
        requests = [requests]
    groups: dict[Selection, list[ChunkedDataRequest]] = {}
    for request in requests:
        groups.setdefault(tuple(request.selection), []).append(request)
    lanes = [Lane(visual_id, _joined(group)) for group in groups.values()]
    for lane in lanes:
        check_selection(pyramid, lane.selection)
        _check_keys(lane, pyramid)
    return lanes


def _joined(group: list[ChunkedDataRequest]) -> ChunkedDataRequest:
    if len(group) == 1:
        return group[0]
    return ChunkedDataRequest(
        group[0].visual_id,
        group[0].selection,
        np.concatenate([r.keys for r in group]),
        np.concatenate([r.priorities for r in group]),
        np.concatenate([r.categories for r in group]),
        group[0].data_version,
    )


def _check_keys(lane: Lane, pyramid: Pyramid) -> None:
    levels, indices = unpack_keys(lane.keys)
    is_level = (levels >= 0) & (levels < pyramid.n_levels)
    grids = pyramid.grids_zyx[np.where(is_level, levels, 0)]
    is_good = is_level & (indices < grids).all(axis=1)
    if not is_good.all():
        bad = int(np.argmin(is_good))
        msg = (
            f"expected chunks of the image's {pyramid.n_levels} levels; found level"
            f" {levels[bad]}, chunk {tuple(indices[bad].tolist())}"
        )
        raise OptionError(msg)


def finest_level(lanes: Sequence[Lane]) -> int:
    """Return the finest level that is wanted, 0 when nothing is."""
    # Keys order by level first.
    firsts = [unpack_keys(lane.keys[:1])[0] for lane in lanes if len(lane.keys)]
    return min((int(level[0]) for level in firsts), default=0)
