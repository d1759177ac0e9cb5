"""What a picture cost and how good it is, as one frozen value."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from brickfield.model.secrets import without_secrets


@dataclass(frozen=True)
class Receipt:
    """The receipt of one picture; field names are those of the JSON.

    Attributes
    ----------
    complete : bool
        Whether everything that was wanted has ended well: nothing waits, nothing
        failed.
    fidelity : str
        "improving", "final" (every pixel is at its target), "limited" (final for
        this budget or file, parts are coarser) or "failed" (final, with parts that
        could not be read).
    time_to_first_image_s, time_to_complete_s : float
        From the request to the base level and to the last brick.
    bytes_read, bytes_minimum : int
        Stored bytes asked of the store; of these the ones that the picture could not
        do without: each storage chunk once that it needs and that was not in memory.
    is_minimum_known : bool
        Whether `bytes_minimum` is all of it: not for images that are put together of
        others, of whose chunks it is not known what each part needs.
    bytes_in_memory : int
        Stored bytes of the storage chunks that it needs and that were in memory.
    requests : int
        Reads sent to the store.
    chunks : dict
        Storage chunks under what the picture needs, each once: wanted, loaded, missing
        (not stored), failed; and bricks that were cancelled.
    pixels : dict
        Shares of the pixels that the volume covers: at_target, coarser, empty, failed.
    levels : dict
        Bricks drawn of every level.
    target_error_px : float
    gpu_bytes, gpu_budget : int
    gpu_usable_fraction : float
        Share of the budget that plans can use at this camera.
    ram_cache_peak_bytes, ram_budget : int
    plan_ms, upload_ms : dict
        Median and p99.
    page_table_bytes_per_brick : float
    frames : int
        Drawn by the view so far.
    late_frames : int
        Steps of planning and uploading, also between frames, that took longer than
        their time.
    failures : list of dict
        Level, chunk, storage chunk, key and reason of each storage chunk that could
        not be read.
    adapter : str
    versions : dict
    bricks : dict
        Bricks of the picture: wanted, loaded, missing (nothing stored), failed,
        damaged (loaded, but for storage chunks that failed), cancelled.
    """

    complete: bool
    time_to_first_image_s: float
    time_to_complete_s: float
    bytes_read: int
    bytes_minimum: int
    requests: int
    chunks: dict[str, int]
    pixels: dict[str, float]
    levels: dict[str, int]
    target_error_px: float
    gpu_bytes: int
    gpu_budget: int
    gpu_usable_fraction: float
    ram_cache_peak_bytes: int
    ram_budget: int
    plan_ms: dict[str, float]
    upload_ms: dict[str, float]
    page_table_bytes_per_brick: float
    frames: int
    late_frames: int
    fidelity: str = "improving"
    failures: list[dict[str, Any]] = field(default_factory=list)
    adapter: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    bricks: dict[str, int] = field(default_factory=dict)
    bytes_in_memory: int = 0
    is_minimum_known: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON, without secrets of addresses."""
        plain: dict[str, Any] = without_secrets(asdict(self))
        return plain

    def to_json(self) -> str:
        """Return indented JSON."""
        return json.dumps(self.as_dict(), indent=2)

    def __getitem__(self, name: str) -> Any:
        """Read a field by its JSON name."""
        return self.as_dict()[name]
