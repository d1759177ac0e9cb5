"""What lies on the graphics device and on its way there, counted where wgpu is called."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu import BrickSet, Name

_TEXEL_BYTES = {"8": 1, "16": 2, "32": 4}


class LivingTextures:
    """Counts the 3D textures of a device between two moments, by its own calls.

    Parameters
    ----------
    device : wgpu.GPUDevice

    Attributes
    ----------
    nbytes, peak_bytes : int
        Of those made since and not destroyed: now, and at most.
    n_made : int
    """

    def __init__(self, device: Any) -> None:
        self._device = device
        self.nbytes = 0
        self.peak_bytes = 0
        self.n_made = 0

    def __enter__(self) -> Self:
        make = self._device.create_texture

        def create_texture(**options: Any) -> Any:
            texture = make(**options)
            if options.get("dimension") == "3d":
                self._count(texture)
            return texture

        self._device.create_texture = create_texture
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del self._device.create_texture

    def _count(self, texture: Any) -> None:
        digits = "".join(c if c.isdigit() else " " for c in texture.format).split()
        nbytes = int(np.prod(texture.size)) * _TEXEL_BYTES[digits[0]]
        self.n_made += 1
        self.nbytes += nbytes
        self.peak_bytes = max(self.peak_bytes, self.nbytes)
        destroy = texture.destroy

        def give_back() -> None:
            texture.destroy = destroy
            self.nbytes -= nbytes
            destroy()

        texture.destroy = give_back


class StagedBytes:
    """Counts what was written to a queue and not submitted yet: the driver keeps it.

    Parameters
    ----------
    queue : wgpu.GPUQueue

    Attributes
    ----------
    nbytes, peak_bytes : int
        Written to textures and buffers since the last submission: now, and at most.
    """

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self.nbytes = 0
        self.peak_bytes = 0

    def __enter__(self) -> Self:
        queue = self._queue
        texture, buffer, submit = queue.write_texture, queue.write_buffer, queue.submit

        def write_texture(destination: Any, data: Any, *rest: Any) -> Any:
            self._count(np.asarray(data).nbytes)
            return texture(destination, data, *rest)

        def write_buffer(
            target: Any, offset: int, data: Any, start: int = 0, size: int | None = None
        ) -> Any:
            self._count(size or np.asarray(data).nbytes - start)
            return buffer(target, offset, data, start, size)

        def submitted(commands: Any) -> Any:
            self.nbytes = 0
            return submit(commands)

        queue.write_texture, queue.write_buffer = write_texture, write_buffer
        queue.submit = submitted
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in ("write_texture", "write_buffer", "submit"):
            delattr(self._queue, name)

    def _count(self, nbytes: int) -> None:
        self.nbytes += nbytes
        self.peak_bytes = max(self.peak_bytes, self.nbytes)


def slot_texels(device: Any, bricks: BrickSet, name: Name) -> NDArray[np.generic]:
    """Read back what the slot of a resident brick holds, shape (z, y, x).

    Parameters
    ----------
    device : wgpu.GPUDevice
    bricks : BrickSet
    name : (plane, key)
    """
    level = bricks.atlas.level_of(name)
    texture, slot = bricks.atlas.texture(level), bricks.atlas.slot_of(name)
    assert texture is not None
    assert slot is not None
    dtype, (d, h, w) = bricks.format.upload_dtype, bricks.atlas.layouts[level].slot_zyx
    origin = (slot[0] * w, slot[1] * h, slot[2] * d)
    raw = device.queue.read_texture(
        {"texture": texture.handle, "origin": origin},
        {"bytes_per_row": w * dtype.itemsize, "rows_per_image": h},
        (w, h, d),
    )
    return np.frombuffer(raw, dtype).reshape(d, h, w)
