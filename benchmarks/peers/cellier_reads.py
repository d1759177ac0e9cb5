"""What cellier reads for every brick of one level, and what it delivers."""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import product
from time import perf_counter, process_time
from uuid import uuid4

import tensorstore as ts
from cellier.data.image import MultiscaleZarrDataStore
from cellier.data.image._image_requests import ChunkRequest
from cellier.slicer import AsyncSlicer
from cellier.transform import AffineTransform

BRICK, OVERLAP = 32, 3


async def main(path: str, patience_s: float = 20) -> dict[str, float | bool]:
    """Load all 32³ bricks with their borders, as a view of the finest level does."""
    store = MultiscaleZarrDataStore(
        zarr_path=path,
        scale_names=["0"],
        level_transforms=[AffineTransform.identity(ndim=3)],
    )
    shape = store.level_shapes[0]
    group = uuid4()
    requests = [
        ChunkRequest(
            uuid4(),
            group,
            0,
            tuple((BRICK * i - OVERLAP, BRICK * (i + 1) + OVERLAP) for i in index),
        )
        for index in product(*(range(-(-n // BRICK)) for n in shape))
    ]
    delivered, done = [], asyncio.Event()
    before = _bytes()
    start, cpu = perf_counter(), process_time()
    slicer = AsyncSlicer()
    slicer.submit(
        requests,
        fetch_fn=store.get_data,
        callback=lambda batch: delivered.extend(r for r, _ in batch),
        on_complete=done.set,
    )
    while not done.is_set() and slicer._tasks:
        await asyncio.sleep(0.005)
        if perf_counter() - start > patience_s:
            break
    return {
        "bytes": _bytes() - before,
        "delivered": len(delivered),
        "wanted": len(requests),
        "completed": done.is_set(),
        "seconds": perf_counter() - start,
        "cpu_ms": 1e3 * (process_time() - cpu),
    }


def _bytes() -> int:
    found = ts.experimental_collect_matching_metrics("/tensorstore/kvstore/")
    named = [m for m in found if m["name"].endswith("file/bytes_read")]
    return sum(v["value"] for m in named for v in m["values"])


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(**json.loads(sys.argv[1])))))
