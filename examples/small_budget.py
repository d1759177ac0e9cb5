"""The same view under a large and a small budget: coarser, never incomplete."""

from pathlib import Path

import brickfield as bf
from brickfield.sample import ensure_sample

store = bf.open_store(ensure_sample(Path(".demo")))
for budget in ("1 GiB", "16 MiB"):
    receipt = bf.render(store, size=(300, 300), gpu_budget=budget).receipt
    print(
        f"{budget}: {receipt.levels} bricks a level, "
        f"{receipt.pixels['empty']:.0%} of the pixels empty, "
        f"{receipt.gpu_bytes:,} bytes"
    )
