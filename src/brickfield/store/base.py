"""The interface of what a viewer draws from: :class:`DataStore`."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

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
