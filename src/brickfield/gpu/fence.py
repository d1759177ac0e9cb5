"""Waiting for the device, to know how long something took.

wgpu's own question when submitted work is done cannot be asked in wgpu-py 0.32 (its
callback has another signature than the library's). What is read back has been waited
for just as well. Thread rule: render thread only.
"""

from __future__ import annotations

import wgpu

from brickfield.gpu.device import GpuDevice


class Fence:
    """Waits until all that was submitted so far has been done.

    Parameters
    ----------
    gpu : GpuDevice
    """

    def __init__(self, gpu: GpuDevice) -> None:
        self._queue = gpu.device.queue
        self._buffer = gpu.device.create_buffer(
            size=4, usage=wgpu.BufferUsage.COPY_SRC | wgpu.BufferUsage.COPY_DST
        )

    def wait(self) -> None:
        """Return when the device has nothing left to do; other threads go on."""
        self._queue.read_buffer(self._buffer)

    def close(self) -> None:
        """Give the buffer back."""
        self._buffer.destroy()
