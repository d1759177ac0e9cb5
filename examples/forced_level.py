"""One level everywhere, or the engine's choice; and how far a budget reaches."""

from pathlib import Path

import brickfield as bf
from brickfield.sample import ensure_sample

store = bf.open_store(ensure_sample(Path(".demo")))
view = {"size": (300, 300), "camera": "orbit:35,20,2.5", "channel": 0}
for options in (
    {"level": 2},
    {"level": "auto"},
    {"level": "auto", "quality": 3},
    {"level": "auto", "gpu_budget": "8 MiB"},
):
    receipt = bf.render(store, **view, **options).receipt
    coarser = receipt.pixels["coarser"]
    print(f"{options}: {receipt.levels} bricks a level, {coarser:.0%} coarser")
