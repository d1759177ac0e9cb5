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
from cellier.render._config import SchedulerConfig

BRICK, OVERLAP, TRIES = 32, 3, 3
"""Of its volumes, and how often its scheduler reads a brick that failed."""


async def main(path: str, patience_s: float = 20) -> dict[str, float | bool]:
    """Load all 32³ bricks with their borders, as a view of the finest level does.

    As many at once as its scheduler has in flight.
    """
    store = MultiscaleZarrDataStore.from_scale_and_translation(
        zarr_path=path,
        scale_names=["0"],
        level_scales=[(1.0,) * 3],
        level_translations=[(0.0,) * 3],
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
    in_flight = asyncio.Semaphore(SchedulerConfig().max_in_flight)

    async def read(request: ChunkRequest) -> bool:
        async with in_flight:
            for _ in range(TRIES):
                try:
                    await store.get_data(request)
                except Exception:  # noqa: BLE001, what a broken chunk raises
                    continue
                return True
        return False

    before = _bytes()
    start, cpu = perf_counter(), process_time()
    reads = [asyncio.ensure_future(read(request)) for request in requests]
    done, pending = await asyncio.wait(reads, timeout=patience_s)
    return {
        "bytes": _bytes() - before,
        "delivered": sum(task.result() for task in done),
        "wanted": len(requests),
        "completed": not pending,
        "seconds": perf_counter() - start,
        "cpu_ms": 1e3 * (process_time() - cpu),
    }


def _bytes() -> int:
    found = ts.experimental_collect_matching_metrics("/tensorstore/kvstore/")
    named = [m for m in found if m["name"].endswith("file/bytes_read")]
    return sum(v["value"] for m in named for v in m["values"])


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(**json.loads(sys.argv[1])))))
