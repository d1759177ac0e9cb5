"""Fuse tiles by multiview-stitcher and write them; runs in the peers' Python."""

import json
import sys
import time

import dask
import dask.array as da
import numpy as np
from multiview_stitcher import fusion, param_utils
from multiview_stitcher import spatial_image_utils as si


def main() -> None:
    """Answer the question in the first argument."""
    question = json.loads(sys.argv[1])
    edge = question["chunk"]
    tiles = []
    for path, matrix in zip(question["tiles"], question["matrices"], strict=True):
        tile = si.get_sim_from_array(
            da.from_zarr(path),
            dims=["z", "y", "x"],
            scale=dict.fromkeys("zyx", 1.0),
            affine=param_utils.affine_to_xaffine(np.array(matrix)),
            transform_key="registered",
        )
        tiles.append(tile)
    spent = []
    for i in range(question["repeats"]):
        start = time.perf_counter()
        fused = fusion.fuse(
            tiles,
            transform_key="registered",
            output_spacing=dict.fromkeys("zyx", 1.0),
            output_chunksize=edge,
        )
        with dask.config.set(scheduler="threads", num_workers=2):
            data = fused.data[0, 0].rechunk(edge)
            da.to_zarr(data, f"{question['target']}-{i}")
        spent.append(time.perf_counter() - start)
    shape = [int(n) for n in fused.data.shape]
    print(json.dumps({"seconds": float(np.median(spent[1:])), "shape": shape}))


if __name__ == "__main__":
    main()
