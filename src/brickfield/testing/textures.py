"""What lies on the graphics device, counted where textures are made and destroyed."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import numpy as np

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
