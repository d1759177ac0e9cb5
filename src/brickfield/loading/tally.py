"""Counts of storage chunks, where chunks share them or are made of several."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from brickfield.loading.reader import Reader
from brickfield.loading.storage_layout import storage_names
from brickfield.model import ChunkFailure, Selection, distinct

Requested = Iterable[tuple[Selection, NDArray[np.int64]]]


def storage_counts(
    reader: Reader,
    wanted: Requested,
    ended: Requested,
    failures: Iterable[ChunkFailure],
) -> dict[str, int]:
    """Count the storage chunks under some chunks, each once.

    Parameters
    ----------
    reader : Reader
    wanted, ended : iterable of (selection, keys)
        All chunks, and those of them that reached their end.
    failures : iterable of ChunkFailure
        What could not be read of them.

    Returns
    -------
    dict
        Wanted, loaded, missing (not stored), failed.
    """
    layouts = reader.scheduler.layouts
    under, here = storage_names(layouts, wanted), storage_names(layouts, ended)
    n_failed = len(distinct(failures))
    n_missing = len(reader.absent_among(here))
    return {
        "wanted": len(under),
        "loaded": max(0, len(here) - n_missing - n_failed),
        "missing": n_missing,
        "failed": n_failed,
    }
