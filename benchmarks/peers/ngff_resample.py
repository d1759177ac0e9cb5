"""Turn an image by ngff-zarr's resample and write it; runs in the peers' Python."""

import json
import sys
import time
from pathlib import Path

import dask.array as da
import ngff_zarr as nz
import numpy as np
from ngff_zarr.v06.zarr_metadata import Affine


def main() -> None:
    """Answer the question in the first argument."""
    question = json.loads(sys.argv[1])
    data = da.from_zarr(str(Path(question["source"]) / "0"))
    image = nz.to_ngff_image(data, dims=["z", "y", "x"])
    pull = np.array(question["pull"])[:3]
    transform = Affine(affine=pull.tolist())
    spent = []
    for i in range(3):
        start = time.perf_counter()
        turned = nz.resample(transform, image, image)
        target = f"{question['target']}-{i}"
        turned.data.rechunk(64).to_zarr(target)
        spent.append(time.perf_counter() - start)
    print(json.dumps({"seconds": float(np.median(spent[1:]))}))


if __name__ == "__main__":
    main()
