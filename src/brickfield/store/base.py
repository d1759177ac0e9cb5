"""The interfaces of what a viewer draws from: :class:`DataStore` and its parts."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from brickfield.model import ImageInfo
from brickfield.model.requests import ChunkedDataRequest, ChunkedDataResponse


@runtime_checkable
class DataStore(Protocol):
    """Data of one image, asked for in requests and answered with arrays in RAM."""

    @property
    def info(self) -> ImageInfo:
        """Describe the image."""
        ...

    def get_data_request(
        self,
        selected_region: Any,
        tiling_method: str = "frustum",
        visual_id: str = "",
        scene_id: str | None = None,
    ) -> list[ChunkedDataRequest]:
        """Return the chunk requests of a view, most wanted chunks first.

        Parameters
        ----------
        selected_region
            What is looked at; each store says which forms it takes.
        tiling_method : str
            How chunks are chosen.
        visual_id : str
            Id of the visual that requests; a new request replaces the last one of the same id.
        scene_id : str, optional
            For the caller; not used.
        """
        ...

    def get_data(self, request: ChunkedDataRequest) -> ChunkedDataResponse:
        """Answer with what is loaded, and fetch the rest in the background."""
        ...

    def close(self) -> None:
        """Give threads and files back."""
        ...


class CoarseRegion(Protocol):
    """A region that is shown no finer than a level for now. Any thread."""

    def __call__(self, level: int, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of chunks, grid indices of shape (n, 3), which stay as coarse as they are."""
        ...

    def meets(self, level: int, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of chunks, grid indices of shape (n, 3), which meet the region."""
        ...
