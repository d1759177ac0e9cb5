"""A copy of the renderer's depth, for rays to end at opaque objects.

pygfx gives shaders no access to depth. Its blender's depth texture is copied
after the opaque pass; this is the one place that touches it.
"""

from __future__ import annotations

from typing import Any

import wgpu

from brickfield.gpu.device import GpuDevice


class DepthCopy:
    """Owns a depth texture as large as the picture. Render thread only."""

    def __init__(self, gpu: GpuDevice) -> None:
        self._gpu = gpu
        self._texture: Any = None
        self._view: Any = None

    def copy(self, renderer: Any) -> Any:
        """Copy the depth drawn so far and return a view of the copy."""
        source = renderer._blender.get_texture("depth")
        if self._texture is None or self._texture.size != source.size:
            self.close()
            self._texture = self._gpu.device.create_texture(
                size=source.size,
                format=source.format,
                usage=wgpu.TextureUsage.COPY_DST | wgpu.TextureUsage.TEXTURE_BINDING,
            )
            self._view = self._texture.create_view()
        encoder = self._gpu.device.create_command_encoder()
        encoder.copy_texture_to_texture(
            {"texture": source}, {"texture": self._texture}, source.size
        )
        self._gpu.device.queue.submit([encoder.finish()])
        return self._view

    def close(self) -> None:
        """Give the texture back."""
        if self._texture is not None:
            self._texture.destroy()
        self._texture = self._view = None
