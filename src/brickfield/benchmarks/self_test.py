"""What this machine reaches in planning, reading, uploading and drawing, in a minute.

Each value stands for one step between a file and a picture, measured alone where that
is possible. They have no spread: they tell what kind of machine this is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

SIZE = (512, 512)
REPEATS = 7


def measure(folder: Path) -> dict[str, Any]:
    """Write a small sample, draw it, and return what everything took.

    Parameters
    ----------
    folder : Path
        Empty; the sample goes there.

    Returns
    -------
    dict
        ``adapter`` and ``versions``, and ``values``: a list of rows of ``name``,
        ``value``, ``unit`` and ``about``.
    """
    from brickfield.gpu import get_device
    from brickfield.sample import Grid, write_sample
    from brickfield.store import open_store

    get_device()
    from brickfield.viewer.export import render_options, render_picture

    path = folder / "sample.ome.zarr"
    write_sample(path, Grid((96, 192, 192), (0.5, 0.25, 0.25)))
    options = render_options(size=SIZE, camera="orbit:35,20", timeout=40)
    # The first picture of a process also compiles the ray caster.
    with open_store(path) as store:
        cold = render_picture(store, options).receipt.as_dict()
        store.manager.cache.drop(store.source.source_id)
    with open_store(path) as store:
        warm = render_picture(store, options).receipt.as_dict()
        rates = _rates(store)
    values = [*_of_receipts(cold, warm), *rates, *_frames(path), *_plans()]
    names = ("name", "value", "unit", "about")
    return {
        "adapter": warm["adapter"],
        "versions": warm["versions"],
        "values": [dict(zip(names, row, strict=True)) for row in values],
    }


Value = tuple[str, float, str, str]


def _of_receipts(cold: dict[str, Any], warm: dict[str, Any]) -> list[Value]:
    first, full = "time_to_first_image_s", "time_to_complete_s"
    return [
        ("start", cold[first], "s", "first picture of the process"),
        ("first picture", warm[first], "s", "coarse, once warm"),
        ("full picture", warm[full], "s", "sharp, once warm"),
        ("read twice", _ratio(warm), "x", "stored bytes read over the least possible"),
    ]


def _ratio(receipt: dict[str, Any]) -> float:
    return float(receipt["bytes_read"] / max(1, receipt["bytes_minimum"]))


def _rates(store: Any) -> list[Value]:
    """Measure decoding from disk and sending to the GPU, alone."""
    from time import perf_counter

    import numpy as np

    from brickfield.gpu import TextureAtlas, choose_format, get_device, level_layouts
    from brickfield.model import ChunkId

    start = perf_counter()
    data = store.read(0)
    read = data.nbytes / (perf_counter() - start)
    gpu = get_device()
    texture = choose_format(data.dtype, has_norm16=gpu.has_norm16)
    atlas = TextureAtlas(level_layouts(store.pyramid, texture), texture, 64 << 20, gpu)
    chunk = np.ascontiguousarray(data[:64, :64, :64])
    sent = 0
    start = perf_counter()
    for i in range(24):
        atlas.upload_chunk(ChunkId(0, (0, i // 3, i % 3), (0,)), chunk)
        sent += chunk.nbytes
    # Reading a buffer back waits until the device has taken everything.
    device = gpu.device
    device.queue.read_buffer(device.create_buffer(size=16, usage=4 | 8))
    upload = sent / (perf_counter() - start)
    atlas.destroy()
    return [
        ("reading", read / 1e6, "MB/s", "decoded, from the disk or its cache"),
        ("uploading", upload / 1e6, "MB/s", "bricks of 64³ with borders"),
    ]


def _frames(path: Path) -> list[Value]:
    """Measure frames of a finished picture, the camera turning."""
    from time import perf_counter

    import numpy as np

    from brickfield.rendering import OffscreenView
    from brickfield.store import open_store
    from brickfield.viewer.export import camera_for, make_layer, render_options

    times: list[float] = []
    with open_store(path) as store:
        layer = make_layer(store, render_options(channel=0))
        view = OffscreenView(SIZE, gpu_budget=256 << 20)
        try:
            view.set_layers([layer])
            for i in range(REPEATS + 1):
                options = render_options(size=SIZE, camera=f"orbit:{35 + i},20")
                view.camera = camera_for(layer, options)
                view.wait_until_complete(20)
                start = perf_counter()
                view.image()
                times.append(1e3 * (perf_counter() - start))
        finally:
            view.close()
    about = f"{SIZE[0]}x{SIZE[1]}, one channel, median of {REPEATS}"
    return [("frame", float(np.median(times[1:])), "ms", about)]


def _plans() -> list[Value]:
    """Measure plans of a volume far larger than any memory."""
    from itertools import product
    from time import perf_counter

    import numpy as np

    from brickfield.camera import camera_spec, fit_camera
    from brickfield.model import AffineTransform
    from brickfield.planning import FramePlan, PlanRequest, plan_frame
    from brickfield.sample import VirtualImage, VirtualSource

    shape = (100_000,) * 3
    pyramid = VirtualSource(VirtualImage(shape, is_hollow=False)).info.pyramid
    corners = np.array(list(product(*zip(*pyramid.data_bounds, strict=True))))
    times: list[float] = []
    plan: FramePlan | None = None
    for i in range(40):
        spec = camera_spec(f"orbit:{30 + i},20,4")
        request = PlanRequest(
            pyramid,
            AffineTransform(),
            fit_camera(spec, corners, (1920, 1080), shape),
            (66**3,) * pyramid.n_levels,
            previous=plan,
        )
        start = perf_counter()
        plan = plan_frame(request, 1 << 30)
        times.append(1e3 * (perf_counter() - start))
    return [
        ("plan", float(np.median(times)), "ms", "100,000³ voxels, median of 40 moves"),
        (
            "plan, slowest",
            float(np.percentile(times, 99)),
            "ms",
            "99 of 100 are faster",
        ),
    ]
