"""How a transformed image is written, checked at the border."""

from __future__ import annotations

from dataclasses import dataclass

from brickfield.blockwise import parse_bytes
from brickfield.errors import OptionError
from brickfield.transforms.operations.resample import ORDERS
from brickfield.writing import IMAGE_VERSIONS, check_known


@dataclass(frozen=True)
class BakeOptions:
    """How a transformed image is written.

    Attributes
    ----------
    level : int
        Of the source that is read; 0 is the finest.
    region : str, optional
        Part of the output that is written, ``"Z0:Z1,Y0:Y1,X0:X1"``, output voxels.
    channel, time : int, optional
        The one that is written; all if not given.
    order : {0, 1, 3}, optional
        1 if not given, and 0 for labels and booleans.
    fill : float
        What there is outside the source.
    fit : bool
        Whether the output holds the whole moved volume.
    budget : str or int
        Memory for all blocks held at once (for each worker of a cluster).
    workers : int, optional
        Threads that work on blocks, and as many that encode chunks.
    scheduler : str, optional
        None or "threads", "inline", or a dask scheduler "tcp://host:port".
    version : {"0.6", "0.5", "0.4"}, optional
        Of OME-Zarr; 0.5 if not given. 0.6 alone holds what turns, shears or mirrors
        an image that is smoothed or of which voxels are joined.
    overwrite : bool
        Replace an OME-Zarr image that is in the way.
    """

    level: int = 0
    region: str | None = None
    channel: int | None = None
    time: int | None = None
    order: int | None = None
    fill: float = 0.0
    fit: bool = False
    budget: str | int = "1 GiB"
    workers: int | None = None
    scheduler: str | None = None
    version: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_known("version", self.version, (None, *IMAGE_VERSIONS))
        if self.order not in (None, *ORDERS):
            msg = f"expected an order out of 0, 1, 3; found {self.order!r}"
            raise OptionError(msg)
        if self.workers is not None and self.workers < 1:
            msg = f"expected at least 1 worker; found {self.workers}"
            raise OptionError(msg)
        parse_bytes(self.budget)

    @property
    def budget_bytes(self) -> int:
        """Budget in bytes."""
        return parse_bytes(self.budget)

    def order_for(self, *, is_labels: bool) -> int:
        """Return the order of sampling.

        Parameters
        ----------
        is_labels : bool
            Whether the voxels are labels or booleans.

        Raises
        ------
        OptionError
            For labels and an order that makes values between them.
        """
        if self.order is None:
            return int(not is_labels)
        if is_labels and self.order != 0:
            msg = (
                f"expected order 0 for labels and booleans, which have no values between;"
                f" found {self.order}"
            )
            raise OptionError(msg)
        return self.order
