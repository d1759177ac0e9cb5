"""The pygfx object and material of a bricked volume, and their uniforms.

Everything that changes from frame to frame is a uniform; only what changes the
shader's text (mode, filter, number of textures and channels) rebuilds a pipeline.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pygfx as gfx
import wgpu
from numpy.typing import NDArray
from pygfx.renderers.wgpu.engine.update import ensure_wgpu_object
from pygfx.utils.bounds import Bounds

from brickfield.gpu.device import GpuDevice
from brickfield.gpu.formats import LabelTable, TextureFormat
from brickfield.gpu.layout import LevelLayout
from brickfield.gpu.names import Name
from brickfield.gpu.page_table import PageTable, runs_of
from brickfield.model import MAX_LEVELS
from brickfield.model.appearance import MAX_CHANNELS

_LEVELS, _CHANNELS = f"{MAX_LEVELS}*4x", f"{MAX_CHANNELS}*4x"
MAX_CLIP_PLANES = 16
MOST_RUNS = 6
"""Runs of changed rows that are written one by one."""
_GROUP = 64
"""Rows that one group of the compute pass puts in place, as rows.wgsl says."""
OPAQUE_MODES = ("iso", "translucent")
"""Modes in which what is in front can hide what is behind."""
SLICE = "slice"
"""What a view with a plane draws, whatever the layer's own mode."""


class BackgroundTextures(NamedTuple):
    """Textures of what was drawn before a volume, as views.

    Attributes
    ----------
    color : wgpu.GPUTextureView
        Displayed values.
    depth : wgpu.GPUTextureView
        Of objects and layers.
    objects : wgpu.GPUTextureView
        Depth at which rays end, where the frame's uniforms say that there are
        objects.
    """

    color: Any
    depth: Any
    objects: Any


class BrickVolume(gfx.WorldObject):
    """What the ray caster draws: textures of all levels and a page table.

    Its own world matrix stays the identity; rays are handed over in data space
    (see :mod:`brickfield.gpu.uniforms`), which keeps their precision in volumes
    of a million voxels along an axis.
    """

    uniform_type: ClassVar = dict(
        gfx.WorldObject.uniform_type,
        ray_o0="4xf4",
        ray_ox="4xf4",
        ray_oy="4xf4",
        ray_d0="4xf4",
        ray_dx="4xf4",
        ray_dy="4xf4",
        world_x="4xf4",
        world_y="4xf4",
        world_z="4xf4",
        normal_x="4xf4",
        normal_y="4xf4",
        normal_z="4xf4",
        depth="4xf4",
        box_low="4xf4",
        box_high="4xf4",
        options="4xf4",
        rows="4xf4",
        background="4xf4",
        light="4xf4",
        depth_range="4xf4",
        blend="4xu4",
        counts="4xu4",
        detail="4xi4",
        label_options="4xu4",
        label_table="4xu4",
        clip=f"{MAX_CLIP_PLANES}*4xf4",
        slice="4xf4",
        slice_o="4xf4",
        slice_x="4xf4",
        slice_y="4xf4",
        slice_at="4xf4",
        lv_scale=f"{_LEVELS}f4",
        lv_shift=f"{_LEVELS}f4",
        lv_brick=f"{_LEVELS}f4",
        lv_border=f"{_LEVELS}f4",
        lv_slot=f"{_LEVELS}f4",
        lv_inverse=f"{_LEVELS}f4",
        lv_low=f"{_LEVELS}f4",
        lv_high=f"{_LEVELS}f4",
        lv_near=f"{_LEVELS}f4",
        lv_far=f"{_LEVELS}f4",
        lv_cell0=f"{_LEVELS}i4",
        lv_grid=f"{_LEVELS}i4",
        ch_window=f"{_CHANNELS}f4",
        ch_more=f"{_CHANNELS}f4",
        ch_plane=f"{_CHANNELS}u4",
    )

    def __init__(self, material: BrickMaterial) -> None:
        super().__init__(None, material)
        self.bounds_xyz = np.array([[-0.5] * 3, [0.5] * 3])
        self.draw_rows()

    def draw_rows(self, first: int = 0, end: int = 1 << 20) -> None:
        """Restrict the following draws to some rows of the picture.

        Parameters
        ----------
        first : int
            First row; 0 is at the top.
        end : int
            The row after the last.
        """
        self.uniform_buffer.data["rows"][:2] = (first, end)
        self.uniform_buffer.update_full()

    def _get_bounds_from_geometry(self) -> Bounds:
        return Bounds(self.bounds_xyz, None)

    def _wgpu_get_pick_info(self, pick_value: int) -> dict[str, Any]:
        depth_bits = (pick_value >> 20) & 0xFFFFFFFF
        depth = np.uint32(depth_bits).view(np.float32)
        return {"view_depth": float(depth), "level": (pick_value >> 52) & 0xF}


class BrickMaterial(gfx.Material):
    """What changes the shader's text.

    Parameters
    ----------
    mode : str
        One of :data:`brickfield.model.appearance.MODES`, or :data:`SLICE`.
    interpolation : {"linear", "nearest"}
    n_channels : int
        Channels drawn in one pass.
    extra : str
        What it does besides, see :mod:`brickfield.model.appearance`.
    """

    uniform_type: ClassVar = dict(gfx.Material.uniform_type)

    def __init__(
        self,
        mode: str = "mip",
        interpolation: str = "linear",
        n_channels: int = 1,
        extra: str = "",
    ) -> None:
        # The program itself compares depths: pygfx would build another pipeline
        # for each way of blending.
        super().__init__(
            alpha_mode="blend", pick_write=True, depth_write=True, depth_test=False
        )
        self.set_program(mode, interpolation, n_channels, extra)
        self._store.bricks_version = 0
        self._store.behind = None
        self.textures: list[gfx.Texture] = []
        """Of the bricks; the uniform ``lv_grid`` says which one a level is in."""
        self.format_kind = "unorm"
        self.is_integer = False
        self.may_be_nonfinite = False
        lut = np.zeros((n_channels, 256, 4), np.uint8)
        self.lut = gfx.Texture(lut, dim=2)
        self.pages: gfx.Buffer = new_page_buffer(1)
        self.reached: gfx.Buffer = new_reached_buffer(1)
        self.set_labels(LabelTable())

    def set_format(self, fmt: TextureFormat) -> None:
        """Set how voxels lie in the textures; before anything is drawn."""
        self.format_kind = "unorm" if fmt.name.endswith("unorm") else "float"
        self.is_integer = fmt.is_integer
        self.may_be_nonfinite = fmt.may_be_nonfinite

    def set_program(
        self, mode: str, interpolation: str, n_channels: int, extra: str = ""
    ) -> None:
        """Set what the pipeline depends on; setting equal values costs nothing.

        Parameters
        ----------
        mode : str
            One of the modes, or "slice".
        interpolation : str
            "linear" or "nearest".
        n_channels : int
            Channels drawn in one pass.
        extra : str
            "shaded", "depth" or "".
        """
        program = (mode, interpolation, n_channels, extra)
        if getattr(self._store, "program", None) != program:
            self._store.program = program

    @property
    def program(self) -> tuple[str, str, int, str]:
        """Mode, interpolation, number of channels, and what it does besides."""
        program: tuple[str, str, int, str] = self._store.program
        return program

    @property
    def has_feedback(self) -> bool:
        """Whether rays can end early, so that it is worth knowing how far they got."""
        mode = self.program[0]
        return mode != SLICE and (self.is_integer or mode in OPAQUE_MODES)

    def set_behind(self, behind: BackgroundTextures | None) -> None:
        """Set what was drawn before; None: the background alone."""
        known = self._store.behind
        # Compared by identity: the same views in the next frame need no new bindings.
        if tuple(map(id, behind or ())) != tuple(map(id, known or ())):
            self._store.behind = behind

    def set_labels(self, table: LabelTable) -> None:
        """Set the colours of labels, in place if there are as many as before."""
        self.labels = table
        known = getattr(self, "label_rows", None)
        if known is not None and known.nitems == len(table.rows):
            known.data[:] = table.rows
            known.update_full()
        else:
            self.label_rows = gfx.Buffer(table.rows.copy())
            self.rebind()

    def rebind(self) -> None:
        """Note that textures or buffers were replaced."""
        self._store.bricks_version = self._store.bricks_version + 1


def new_page_buffer(n_rows: int) -> gfx.Buffer:
    """Make a page-table buffer without a copy in RAM."""
    usage = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_DST
    return gfx.Buffer(nbytes=16 * n_rows, nitems=n_rows, format="4xu4", usage=usage)


class RowSender:
    """Sends scattered rows of page tables in one piece; a compute pass puts them in place.

    Each call of the driver lets other threads of Python run first, so that dozens of
    calls beside threads that read take longer than the rest of a camera change.

    Parameters
    ----------
    device : wgpu.GPUDevice
    """

    def __init__(self, device: Any) -> None:
        self._device = device
        self._pipeline: Any = None
        self._sent: Any = None
        self._bound: tuple[Any, Any] = (None, None)

    def send(self, target: Any, rows: NDArray[np.uint32], at: NDArray[np.int64]) -> int:
        """Write some rows to a buffer; return the bytes sent.

        Parameters
        ----------
        target : wgpu.GPUBuffer
        rows : ndarray, shape (n, 4), uint32
            The whole table.
        at : ndarray, shape (m,), int64
            Rows to send, each once.
        """
        device, n = self._device, len(at)
        words = np.empty((n + 1, 5), np.uint32)
        words[0, 0] = n
        words[1:, 0], words[1:, 1:] = at, rows[at]
        if self._sent is None or self._sent.size < words.nbytes:
            usage = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_DST
            size = max(1 << 14, 2 * words.nbytes)
            self._sent = device.create_buffer(size=size, usage=usage)
        device.queue.write_buffer(self._sent, 0, words)
        encoder = device.create_command_encoder()
        work = encoder.begin_compute_pass()
        bindings = self._bindings(target)
        work.set_pipeline(self._pipeline)
        work.set_bind_group(0, bindings)
        work.dispatch_workgroups(-(-n // _GROUP))
        work.end()
        device.queue.submit([encoder.finish()])
        return words.nbytes

    def _bindings(self, target: Any) -> Any:
        if self._pipeline is None:
            code = (files("brickfield.gpu") / "wgsl" / "rows.wgsl").read_text()
            module = self._device.create_shader_module(code=code)
            self._pipeline = self._device.create_compute_pipeline(
                layout="auto", compute={"module": module, "entry_point": "place_rows"}
            )
        # Buffers are replaced when a table or what is sent of it grows.
        known = (self._sent, target)
        if known != self._bound[0]:
            entries = [
                {"binding": i, "resource": {"buffer": b, "offset": 0, "size": b.size}}
                for i, b in enumerate(known)
            ]
            layout = self._pipeline.get_bind_group_layout(0)
            group = self._device.create_bind_group(layout=layout, entries=entries)
            self._bound = (known, group)
        return self._bound[1]

    def close(self) -> None:
        """Give the memory back."""
        if self._sent is not None:
            self._sent.destroy()
        self._sent, self._bound = None, (None, None)


def new_reached_buffer(n_rows: int) -> gfx.Buffer:
    """Make the buffer in which rays mark the page-table rows that they reach."""
    usage = (
        wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC | wgpu.BufferUsage.COPY_DST
    )
    return gfx.Buffer(nbytes=4 * n_rows, nitems=n_rows, format="u4", usage=usage)


def placeholder_texture(fmt: TextureFormat, layout: LevelLayout) -> gfx.Texture:
    """Make the texture that stands for levels without bricks.

    Parameters
    ----------
    fmt : TextureFormat
    layout : LevelLayout
        Of the slots of the texture that will come.
    """
    usage = wgpu.TextureUsage.COPY_DST | wgpu.TextureUsage.TEXTURE_BINDING
    # Software Vulkan compiles a program again (0.3 s) where the edges of a texture are
    # powers of two and those of the one before were not: these are alike.
    size = tuple(4 if n & (n - 1) == 0 else 3 for n in reversed(layout.slot_zyx))
    return gfx.Texture(data=None, dim=3, size=size, format=fmt.name, usage=usage)


class PageBuffers:
    """The page table on the GPU, and which of its rows rays reached.

    After :meth:`send` the GPU has the rows that the table has: changed rows are sent, in
    runs or, where these are many, in one piece; all of them where the table was
    renumbered or has another size. Render thread only.

    Parameters
    ----------
    table : PageTable
    material : BrickMaterial
    gpu : GpuDevice

    Attributes
    ----------
    n_bytes : int
        Sent so far.
    """

    def __init__(
        self, table: PageTable, material: BrickMaterial, gpu: GpuDevice
    ) -> None:
        self._table = table
        self._material = material
        self._gpu = gpu
        self._generation = -1
        self._sender = RowSender(gpu.device)
        self.n_bytes = 0

    def send(self) -> None:
        """Send the rows that changed since the last time."""
        table, material = self._table, self._material
        # Renumbered or grown: all is sent, and another buffer needs new bindings.
        if self._generation != table.generation:
            is_first = self._generation < 0
            self._generation = table.generation
            table.take_dirty()
            material.pages = new_page_buffer(len(table.rows))
            material.reached = new_reached_buffer(len(table.rows))
            self._write_rows(0, len(table.rows))
            if is_first:  # clearing a new buffer is no cost of a brick; its rows are
                self.n_bytes = 16 * len(table)
            material.rebind()
        rows = table.take_dirty()
        runs = runs_of(rows)
        if len(runs) > MOST_RUNS:
            buffer = ensure_wgpu_object(material.pages)
            self.n_bytes += self._sender.send(buffer, table.rows, rows)
            return
        for first, end in runs:
            self._write_rows(first, end)

    def _write_rows(self, first: int, end: int) -> None:
        buffer = ensure_wgpu_object(self._material.pages)
        rows = self._table.rows[first:end]
        self._gpu.device.queue.write_buffer(buffer, 16 * first, rows)
        self.n_bytes += rows.nbytes

    def take_reached(self) -> list[Name]:
        """Return the drawn chunks that rays reached since the last call.

        Waits for the frames drawn so far.
        """
        buffer = ensure_wgpu_object(self._material.reached)
        queue = self._gpu.device.queue
        marks = np.frombuffer(queue.read_buffer(buffer), dtype=np.uint32)
        queue.write_buffer(buffer, 0, np.zeros_like(marks))
        names = self._table.names_of(np.flatnonzero(marks).tolist())
        # Cells that only lead to finer ones have rows, too, but are not drawn.
        return [name for name in names if name in self._table]

    def destroy(self) -> None:
        """Release the buffers' memory."""
        self._sender.close()
        for buffer in (self._material.pages, self._material.reached):
            # Of a huge image they are large, and pygfx's caches would keep them.
            handle = buffer._wgpu_object
            if handle is not None:
                handle.destroy()
