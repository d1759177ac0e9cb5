"""What lies behind a layer: copies of the colour and the depth drawn so far.

A shader cannot read the target that it draws to, and pygfx gives shaders neither
of its targets. Layers are laid over each other as displayed values, in ways that a
fixed blend state cannot express; rays end at opaque objects. So both targets are
copied before a layer that needs them. This is the one place that touches pygfx's
blender. Thread rule: render thread only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import wgpu

from brickfield.gpu import BackgroundTextures, BrickVolume, GpuDevice


class TargetCopy:
    """Owns a texture as large as the picture.

    Parameters
    ----------
    gpu : GpuDevice
    name : {"color", "depth"}
        Of pygfx's render target.
    """

    def __init__(self, gpu: GpuDevice, name: str) -> None:
        self._gpu = gpu
        self._name = name
        self._texture: Any = None
        self._view: Any = None

    def copy(self, renderer: Any) -> Any:
        """Copy what was drawn so far and return a view of the copy."""
        # Not public in pygfx 0.17: the one place of brickfield that touches the
        # blender.
        source = renderer._blender.get_texture(self._name)
        # Kept from frame to frame: a new texture would mean new bind groups.
        if self._texture is None or self._texture.size != source.size:
            self.close()
            self._texture = self._gpu.device.create_texture(
                size=source.size,
                # Read as displayed values, not as light.
                format=source.format.removesuffix("-srgb"),
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
        """Release the texture."""
        if self._texture is not None:
            self._texture.destroy()
        self._texture = self._view = None


class LayerStack:
    """Lays volumes one over the other, first to last.

    The first one, when nothing else was drawn before, needs no copies: what is
    behind it is the background, a uniform.

    Parameters
    ----------
    gpu : GpuDevice
    """

    def __init__(self, gpu: GpuDevice) -> None:
        self._color = TargetCopy(gpu, "color")
        self._depth = TargetCopy(gpu, "depth")
        self._objects = TargetCopy(gpu, "depth")

    def each(
        self, renderer: Any, volumes: Sequence[BrickVolume], *, has_objects: bool
    ) -> Iterator[BrickVolume]:
        """Yield the visible ones of the volumes, each when it can be drawn.

        Parameters
        ----------
        renderer : pygfx renderer
            With the background, and opaque objects if any, drawn but not flushed.
        volumes : sequence of BrickVolume
            One that was yielded is drawn before the next is asked for.
        has_objects : bool
            Whether opaque objects were drawn, at which rays end.
        """
        # Before any volume is drawn: volumes write depth as well, and rays end at
        # objects only.
        objects = self._objects.copy(renderer) if has_objects else None
        for i, volume in enumerate(volumes):
            if not volume.visible:
                continue
            behind = None
            # By place, not by what is visible: nothing is rebuilt when that changes.
            if i or has_objects:
                depth = self._depth.copy(renderer) if i or objects is None else objects
                color = self._color.copy(renderer)
                behind = BackgroundTextures(color, depth, objects or depth)
            volume.material.set_behind(behind)
            yield volume

    def close(self) -> None:
        """Give the textures back."""
        for copy in (self._color, self._depth, self._objects):
            copy.close()
