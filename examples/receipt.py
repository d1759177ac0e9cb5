"""Read a receipt: what was drawn, what it cost, and what could not be read."""

import shutil
from pathlib import Path

import brickfield as bf
from brickfield.sample import ensure_sample
from brickfield.testing import chunk_files, corrupt

damaged = Path("damaged.ome.zarr")
shutil.rmtree(damaged, ignore_errors=True)
shutil.copytree(ensure_sample(Path(".demo")), damaged)
corrupt(chunk_files(damaged / "1")[5], "truncate")  # as an aborted copy does

with bf.open_store(damaged) as store:
    receipt = bf.render(store, size=(300, 300), channel=0, quality=2).receipt

print(f"complete: {receipt.complete}")
print(f"bricks a level: {receipt.levels}")
print(f"read: {receipt.bytes_read:,} bytes, least possible {receipt.bytes_minimum:,}")
print(f"memory: {receipt.gpu_bytes:,} of {receipt.gpu_budget:,} bytes on the GPU")
print(f"pixels: {receipt.pixels}")
for failure in receipt.failures:
    print(f"failed: {failure['key']}: {failure['reason']}")
