"""What single overviews depend on, and how large ones are stored."""

from __future__ import annotations

from typing import Any

from brickfield.sources.scans import Scan
from brickfield.stem4d.overviews import OverviewOptions, binned_dtype
from brickfield.stem4d.summing.sums import sum_dtype


def own_params(name: str, wanted: OverviewOptions) -> dict[str, Any]:
    """Return what an overview depends on in addition to the patterns.

    Parameters
    ----------
    name : str
        Of the overview.
    wanted : OverviewOptions
    """
    if name == "binned":
        return {"n_binned": wanted.n_binned}
    if name == "profile":
        return {"centre": None if wanted.centre is None else list(wanted.centre)}
    return {}


def layout_of(scan: Scan, name: str, n_binned: int) -> tuple[Any, Any, None]:
    """Return shape, data type and chunks (none) of a large overview.

    Parameters
    ----------
    scan : Scan
    name : str
        Of the overview.
    n_binned : int
        Pixels along each edge that are summed.
    """
    ny, nx, h, w = scan.data.shape
    if name == "binned":
        shape = (ny, nx, -(-h // n_binned), -(-w // n_binned))
        return shape, binned_dtype(scan.data.dtype), None
    kept = h if name == "sum_over_x" else w
    return (ny, nx, kept), sum_dtype(scan.data.dtype), None
