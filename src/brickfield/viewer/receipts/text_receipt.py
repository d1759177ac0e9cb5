"""The receipt of a picture as text for the user.

Pure functions from a :class:`~brickfield.viewer.receipts.receipt.Receipt` to short
texts. The numbers are the receipt's; nothing is added and nothing is made to look
better.
"""

from __future__ import annotations

from math import isfinite

from brickfield.blockwise import format_bytes
from brickfield.model.units import counted, percent
from brickfield.viewer.receipts.level_names import UNNAMED, LevelNames
from brickfield.viewer.receipts.receipt import Receipt
from brickfield.viewer.receipts.text_status import memory

Row = tuple[str, str, str]
"""What, how much, and what that means."""


def sentence(receipt: Receipt) -> str:
    """Say in a sentence or two how good the picture is and what it took."""
    return f"{_quality(receipt)} {_cost(receipt)}"


def _quality(receipt: Receipt) -> str:
    n_failed = receipt.chunks.get("failed", 0)
    if receipt.complete:
        at_target = receipt.pixels.get("at_target", 0.0)
        if at_target >= 0.9995:
            return "Complete: as sharp everywhere as was asked for."
        if at_target <= 0 and sum(n > 0 for n in receipt.levels.values()) == 1:
            return (
                "Complete, but nowhere as sharp as was asked for: the step to the next"
                " finer level is too large for the GPU budget."
            )
        share = percent(100 * at_target)
        return f"Complete: {share} as sharp as was asked for, the rest coarser."
    if n_failed:
        return f"Not complete: {counted(n_failed, 'chunk')} could not be read."
    return "Not complete yet: data are still on their way."


def _cost(receipt: Receipt) -> str:
    at_hand = receipt.bytes_in_memory
    if not receipt.requests:
        return "Nothing was read for it: all was in memory."
    reads = counted(receipt.requests, "read")
    text = f"{format_bytes(receipt.bytes_read)} came in {reads}"
    extra = receipt.bytes_read - receipt.bytes_minimum
    if at_hand:
        text += f" ({format_bytes(at_hand)} were already in memory)"
    if not receipt.is_minimum_known:
        return f"{text}."
    if extra > 0 and not receipt.bytes_minimum:
        return f"{text}, all of it only to be drawn meanwhile."
    if receipt.bytes_minimum > 0 and extra > 0.005 * receipt.bytes_minimum:
        more = percent(100 * extra / receipt.bytes_minimum)
        return f"{text}, {more} more than needed."
    return f"{text}, no more than needed."


def rows(receipt: Receipt, names: LevelNames = UNNAMED) -> list[Row]:
    """Return the receipt as a table.

    Parameters
    ----------
    receipt : Receipt
    names : LevelNames
        Of the layers that were drawn.
    """
    return [
        *_time_rows(receipt),
        *_read_rows(receipt),
        *_picture_rows(receipt, names),
        *_memory_rows(receipt),
        *_work_rows(receipt),
    ]


def _time_rows(receipt: Receipt) -> list[Row]:
    return [
        (
            "First picture",
            seconds(receipt.time_to_first_image_s),
            "From the last change of the view to the coarse overview",
        ),
        (
            "Full picture",
            seconds(receipt.time_to_complete_s),
            "From the last change of the view to the last brick",
        ),
    ]


def seconds(value: float) -> str:
    """Write a measured time: 35 ms, 1.25 s, 84 s; – where none was measured."""
    if not (isfinite(value) and value > 0):
        return "–"
    if value < 1:
        return f"{1e3 * value:.0f} ms" if value >= 1e-3 else "under 1 ms"
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def _read_rows(receipt: Receipt) -> list[Row]:
    chunks = receipt.chunks
    parts = [f"{chunks.get('loaded', 0)} of {chunks.get('wanted', 0)}"]
    names = {"missing": "not stored", "failed": "failed", "cancelled": "cancelled"}
    parts += [f"{chunks[k]} {word}" for k, word in names.items() if chunks.get(k)]
    return [
        (
            "Read",
            format_bytes(receipt.bytes_read),
            "Stored (compressed) bytes asked for",
        ),
        (
            "Least possible",
            format_bytes(receipt.bytes_minimum)
            if receipt.is_minimum_known
            else "not known",
            "Stored bytes of what had to be read, every needed piece once",
        ),
        (
            "Already in memory",
            format_bytes(receipt.bytes_in_memory),
            "Stored bytes of what the picture needs and was not read for it",
        ),
        ("Reads", str(receipt.requests), "Requests sent to the store"),
        ("Chunks loaded", ", ".join(parts), "Of those that this view wants"),
    ]


def _picture_rows(receipt: Receipt, levels: LevelNames) -> list[Row]:
    names = {
        "at_target": "sharp",
        "coarser": "coarser",
        "empty": "empty",
        "failed": "failed",
    }
    shares = [
        f"{percent(100 * receipt.pixels[k])} {word}"
        for k, word in names.items()
        if receipt.pixels.get(k, 0) > 0
    ]
    bricks = [
        f"{n} at {levels.resolution(int(k))}" for k, n in receipt.levels.items() if n
    ]
    return [
        ("Pixels", ", ".join(shares) or "–", "Of those that data cover"),
        ("Bricks drawn", ", ".join(bricks) or "–", "Padded pieces on the GPU"),
        (
            "Aimed at",
            f"{receipt.target_error_px:.3g} px per voxel",
            "Size on the screen that a voxel should have at most",
        ),
    ]


def _memory_rows(receipt: Receipt) -> list[Row]:
    return [
        (
            "GPU memory",
            memory(receipt.gpu_bytes, receipt.gpu_budget),
            "Textures of this view",
        ),
        (
            "GPU usable",
            percent(100 * receipt.gpu_usable_fraction),
            "What plans can use of the budget from here",
        ),
        (
            "RAM cache, peak",
            memory(receipt.ram_cache_peak_bytes, receipt.ram_budget),
            "Decoded data, shared by all views",
        ),
    ]


def _work_rows(receipt: Receipt) -> list[Row]:
    def times(of: dict[str, float]) -> str:
        return f"{of.get('median', 0):.1f} ms (p99 {of.get('p99', 0):.1f} ms)"

    rows = [
        ("Planning", times(receipt.plan_ms), "To choose what to load, per frame"),
        ("Uploading", times(receipt.upload_ms), "To the GPU, per frame"),
        ("Frames", str(receipt.frames), "Drawn by this view so far"),
    ]
    if receipt.late_frames:
        why = "Steps of planning and uploading that took longer than their time"
        rows.append(("Late steps", str(receipt.late_frames), why))
    if receipt.adapter:
        rows.append(("Graphics", receipt.adapter, "What draws"))
    return rows
