"""The interface of what a viewer draws from: :class:`DataStore`."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from brickfield.model import ChunkedDataRequest, ChunkedDataResponse, ImageInfo


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
        """Turn a view into requests, most wanted chunks first."""
        ...

    def get_data(self, request: ChunkedDataRequest) -> ChunkedDataResponse:
        """Answer with what is at hand, and fetch the rest in the background."""
        ...

    def close(self) -> None:
        """Give threads and files back."""
        ...
