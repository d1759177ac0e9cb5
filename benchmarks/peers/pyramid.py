"""Write a pyramid of an array as a peer does; runs in the peers' Python.

Both halve by the means of blocks of 2³, into storage chunks of 64³ with the
compression that is theirs by default.
"""

import json
import sys

import dask.array as da


def ngff_zarr(source: str, target: str, n_levels: int) -> None:
    """Write with ngff-zarr."""
    import ngff_zarr as nz

    image = nz.to_ngff_image(da.from_zarr(source), dims=["z", "y", "x"])
    multiscales = nz.to_multiscales(
        image,
        scale_factors=[2**i for i in range(1, n_levels)],
        method=nz.Methods.DASK_BIN_SHRINK,
        chunks=64,
    )
    nz.to_ngff_zarr(target, multiscales, version="0.5")


def ome_zarr(source: str, target: str, n_levels: int) -> None:
    """Write with ome-zarr-py."""
    from ome_zarr.scale import Methods
    from ome_zarr.writer import write_image

    write_image(
        da.from_zarr(source),
        target,
        scale_factors=[dict.fromkeys("zyx", 2**i) for i in range(1, n_levels)],
        method=Methods.LOCAL_MEAN,
        axes="zyx",
        storage_options={"chunks": (64, 64, 64)},
    )


if __name__ == "__main__":
    question = json.loads(sys.argv[1])
    {"ngff-zarr": ngff_zarr, "ome-zarr-py": ome_zarr}[question.pop("peer")](**question)
    print("{}")
