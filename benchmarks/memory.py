"""E7, E8, E12: bytes on the GPU, in RAM and in the page table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter, thread_time

import numpy as np

from benchmarks.clock import PeakMemory
from benchmarks.rows import Row, Setting, at_least, at_most, exactly
from benchmarks.scenes import MIB, layer_of, orbit, view_of, virtual_store
from brickfield.gpu import Name, choose_format, level_layouts
from brickfield.model import Int3
from brickfield.rendering import LayerRenderer, OffscreenView
from brickfield.sample import VirtualImage, VirtualSource
from brickfield.testing.textures import LivingTextures

DTYPES = ("u1", "i1", "u2", "i2", "f2", "f4", "u4", "i4", "f8", "u8")
CELLIER_PER_VOXEL = 6.70
"""Read in cellier's source: 38³ slots of float32 for 32³ voxels of any type."""
SIZE = (320, 240)
FLOOR = 16 * MIB


def gpu_bytes(setting: Setting) -> list[Row]:
    """E7."""
    worst, name = worst_overhead()
    rows = [
        at_most(
            "E7",
            "GPU bytes a resident voxel ÷ item size, worst of 10 dtypes",
            worst,
            1.10,
            peer="cellier (uint8, read)",
            theirs=CELLIER_PER_VOXEL,
            note=f"from the slots of whole bricks, worst is {name}; 64-bit types take 32"
            " bits on the GPU",
        )
    ]
    shares = usable_shares(48 if setting.is_full else 16)
    used = [u for _, u in shares]
    rows.append(
        at_least(
            "E7",
            "share of the GPU budget that plans may use, worst camera",
            min(s for s, _ in shares),
            0.92,
            note=f"{len(shares)} cameras and budgets from 64 MiB; over-full views fill"
            f" {min(used):.0%} to {max(used):.0%} of the budget with bricks",
        )
    )
    cases = [(64, "u1"), (128, "u1"), (128, "u2"), (512, "u1")]
    peaks = [living_textures(mib * MIB, dtype) for mib, dtype in cases]
    rows.append(
        at_most(
            "E7",
            "living textures ÷ GPU budget in flight, worst moment",
            max(peak for peak, _ in peaks),
            1.0,
            note="counted where the device makes and destroys them; textures made in 54"
            f" frames at 64, 128, 128 (u2) and 512 MiB: {[n for _, n in peaks]}",
        )
    )
    return [*rows, *rebuild_rows()]


def rebuild_rows() -> list[Row]:
    """Rows of what it costs that textures grow, from afar into the volume."""
    mibs = (64, 128, 512)
    found = [approach(mib * MIB) for mib in mibs]
    made = ", ".join(
        f"{mib} MiB: {len(f.cpu_ms)}" for mib, f in zip(mibs, found, strict=True)
    )
    peak = max(f.peak_share for f in found)
    note = f"textures made or grown, {made}; living textures at most {peak:.2f}"
    return [
        exactly(
            "E7",
            "bricks sent again since their texture grew, GPU budget of 128 MiB",
            found[1].n_sent_again,
            0,
            note=note + f"; sent again at 512 MiB on this device:"
            f" {found[2].n_sent_again}",
        ),
        at_most(
            "E7",
            "making a texture larger, CPU of the render thread, worst, 128 MiB",
            max(found[1].cpu_ms),
            4,
            unit="ms",
            note="; ".join(
                f"{mib} MiB: {max(f.cpu_ms):.1f} ms"
                for mib, f in zip(mibs, found, strict=True)
            ),
        ),
    ]


@dataclass(frozen=True)
class Growth:
    """What became of textures while a camera came near."""

    n_sent_again: int
    cpu_ms: tuple[float, ...]
    """Of the render thread, each time that textures changed."""
    peak_share: float
    """Most bytes of textures at once over the budget."""


def approach(
    budget: int, size: tuple[int, int] = SIZE, *, is_loaded: bool = True
) -> Growth:
    """Come near from afar, with everything on the GPU at each step.

    Parameters
    ----------
    budget : int
        Bytes of textures.
    size : tuple of int
        Of the picture, pixels.
    is_loaded : bool
        Whether all bricks arrive before the next step.
    """
    shape = (20_000, 25_000, 20_000)
    store = virtual_store(VirtualImage(shape, is_hollow=False))
    lost: list[int] = []
    cpu: list[float] = []
    with (
        view_of(layer_of(store), size, gpu_budget=budget) as view,
        LivingTextures(view.gpu.device) as living,
    ):
        atlas = view.manager.renderers[0].bricks.atlas
        bricks, resize = view.manager.renderers[0].bricks, atlas.ensure_capacity
        make_room = bricks.make_room

        def ensure_capacity(need: Sequence[int]) -> list[Name]:
            moved = resize(need)
            lost.append(sum(name not in atlas for name in moved))
            return moved

        def timed(need: Sequence[int]) -> None:
            version, start = atlas.version, thread_time()
            make_room(need)
            if atlas.version != version:
                cpu.append(1e3 * (thread_time() - start))

        atlas.ensure_capacity, bricks.make_room = ensure_capacity, timed  # type: ignore[method-assign]
        for i, distance in enumerate((6, 4, 3, 2, 1.4, 1, 0.65, 0.4, 0.2)):
            view.camera = orbit(shape, size, distance=distance, angle=i / 15)
            view.update(slice_s=0.0)
            if is_loaded:
                assert view.wait_until_complete(60)
        peak = living.peak_bytes / budget
    return Growth(sum(lost), tuple(cpu), peak)


def living_textures(budget: int, dtype: str = "u1") -> tuple[float, int]:
    """Fly through 10 TB without drawing.

    Parameters
    ----------
    budget : int
        Bytes of textures.
    dtype : str

    Returns
    -------
    peak : float
        Most bytes of 3D textures that were alive at once, over the budget.
    n_made : int
        Textures that were made.
    """
    shape = (20_000, 25_000, 20_000)
    store = virtual_store(VirtualImage(shape, dtype=dtype, is_hollow=False))
    with (
        view_of(layer_of(store), SIZE, gpu_budget=budget) as view,
        LivingTextures(view.gpu.device) as living,
    ):
        for i in range(54):
            distance = 0.15 + 0.5 * abs(1 - (i / 21) % 2)
            view.camera = orbit(shape, SIZE, distance=distance, angle=i / 15)
            view.update(is_moving=True)
            view.update(is_moving=True)
        return living.peak_bytes / budget, living.n_made


def worst_overhead() -> tuple[float, str]:
    """Return the most GPU bytes a voxel over its own bytes, and of which type."""
    found = []
    for dtype in DTYPES:
        image = VirtualImage((1000, 900, 800), dtype=dtype)
        pyramid = VirtualSource(image).info.pyramid
        layouts = level_layouts(pyramid, choose_format(np.dtype(dtype)))
        for layout in layouts:
            n = int(np.prod(layout.brick_zyx))
            found.append((layout.slot_bytes / n / np.dtype(dtype).itemsize, dtype))
    return max(found)


def usable_shares(n: int) -> list[tuple[float, float]]:
    """Plan over-full views; return the usable and the used share of each budget."""
    found = []
    shape = (30_000, 40_000, 20_000)
    store = virtual_store(VirtualImage(shape, dtype="u2", is_hollow=False))
    layer = layer_of(store)
    rng = np.random.default_rng(1)
    for budget in (64 * MIB, 192 * MIB):
        with view_of(layer, (1920, 1080), gpu_budget=budget) as view:
            for _ in range(n // 2):
                distance, angle = rng.choice([0.02, 0.3, 0.7]), rng.uniform(0, 6)
                view.camera = orbit(shape, (1920, 1080), distance=distance, angle=angle)
                view.manager.plan(view.camera)
                (renderer,) = view.manager.renderers
                share = view.manager.statistics.planned_share
                assert renderer.plan is not None
                assert view.manager.gpu_bytes <= budget + table_bytes(renderer)
                found.append((share, renderer.plan.cost_bytes / budget))
    return found


def table_bytes(renderer: LayerRenderer) -> int:
    return int(renderer.bricks.table.rows.nbytes)


def flight(setting: Setting) -> list[Row]:
    """E8: through 10 TB, budgets of 256 MiB of RAM and 128 MiB of textures.

    The baseline is the same flight with next to no cache. The graphics driver's own
    memory is left out and told in the note.
    """
    seconds = 60 if setting.is_full else 15
    ram, gpu = 256 * MIB, 128 * MIB
    shape = (20_000, 25_000, 20_000)
    store = virtual_store(VirtualImage(shape, is_hollow=False), ram_budget=FLOOR)
    cache = store.manager.cache
    with (
        view_of(layer_of(store), SIZE, gpu_budget=gpu) as view,
        LivingTextures(view.gpu.device) as living,
    ):
        fly(view, shape, 8)
        cache.budget_bytes = ram
        n_before = store.manager.counters.decoded_chunks
        with PeakMemory() as memory:
            n_frames = fly(view, shape, seconds)
        peak_cache = cache.peak_bytes
        n_read = store.manager.counters.decoded_chunks - n_before
    growth = memory.peak - memory.before + FLOOR
    note = (
        f"{seconds} s, {n_frames} frames, {n_read} chunks decoded; baseline"
        f" {memory.before / MIB:.0f} MiB with a cache of {FLOOR // MIB} MiB, peak"
        f" {memory.peak / MIB:.0f} MiB; left out are"
        f" {memory.driver_peak / MIB:.0f} MiB, taken to be the driver's"
        f" for {gpu // MIB} MiB of textures: textures without any cache give one such"
        " mapping of 256 MiB"
    )
    what = "flight through a 10 TB virtual store: "
    return [
        at_most(
            "E8",
            what + "peak RSS over baseline ÷ RAM budget",
            (growth + memory.driver_peak - memory.driver_before) / ram,
            1.2,
            note="everything, textures on software Vulkan included",
        ),
        at_most(
            "E8",
            what + "the same without mappings of 65 MiB and more",
            growth / ram,
            1.2,
            note=note,
        ),
        at_most(
            "E8",
            what + "RAM cache and reservations ÷ RAM budget, peak",
            peak_cache / ram,
            1.0,
        ),
        at_most(
            "E8",
            what + "living textures ÷ GPU budget, peak",
            living.peak_bytes / gpu,
            1.0,
        ),
    ]


def fly(view: OffscreenView, shape: Int3, seconds: float) -> int:
    """Move for some seconds; return the number of frames."""
    start = perf_counter()
    n_frames = 0
    while (t := perf_counter() - start) < seconds:
        distance = 0.15 + 0.5 * abs(1 - (t / 7) % 2)
        view.camera = orbit(shape, SIZE, distance=distance, angle=t / 5)
        view.update(is_moving=True)
        view.image()
        n_frames += 1
    return n_frames


def page_table(setting: Setting) -> list[Row]:
    """E12."""
    per_brick, n = page_bytes(4096, 64 * MIB)
    return [
        at_most(
            "E12",
            "page-table bytes written per committed brick, 4096³",
            per_brick,
            1024,
            unit="B",
            peer="cellier (calculated)",
            theirs=cellier_table_bytes(4096),
            note=f"{n} bricks; cellier sends its whole table and brick maxima with"
            " each batch of 8",
        )
    ]


def page_bytes(edge: int, gpu_budget: int) -> tuple[float, int]:
    """Load one over-full view; return bytes a brick and the number of bricks."""
    store = virtual_store(VirtualImage((edge,) * 3, is_hollow=False))
    with view_of(layer_of(store), SIZE, gpu_budget=gpu_budget) as view:
        view.camera = orbit((edge,) * 3, SIZE, distance=0.7)
        # One frame after each slice, as on a screen.
        while not view.wait_until_complete(0.05):
            view.image()
        view.image()
        (renderer,) = view.manager.renderers
        return renderer.bricks.page_bytes_per_brick, renderer.bricks.n_committed


def cellier_table_bytes(edge: int) -> float:
    """Bytes of rgba8uint and float32 for every 32³ brick of level 0, over 8."""
    return (edge // 32) ** 3 * 8 / 8
