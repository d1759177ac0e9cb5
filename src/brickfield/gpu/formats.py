"""Data types and the texture formats that hold them.

A brick is stored in its native width: no format here takes more than 1.0 times the item
size, 64-bit types take half. ``value = sample * scale + offset`` turns what the shader
samples back into the value of the file. Signed integers are shifted into the unsigned
range, because the normalised signed formats cannot hold the most negative value.

The colours of labels are a table that the shader looks up (:class:`LabelTable`). Its
rows are pairs of words: first the labels with a colour of their own, ascending, with
the number as it lies in the texture; then the colours that all others take turns with.
Row 0 of these belongs to label 0, which is never drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model.appearance import Appearance


@dataclass(frozen=True, slots=True)
class TextureFormat:
    """How voxels of one data type lie in a texture.

    Attributes
    ----------
    name : str
        wgpu texture format.
    upload_dtype : numpy.dtype
        Type of the bytes that are uploaded.
    scale, offset : float
        ``value = sample * scale + offset``.
    is_integer : bool
        Whether the shader loads unsigned integers (labels), never filtered.
    may_be_nonfinite : bool
        Whether NaN or infinity can occur.
    label_dtype : numpy.dtype or None
        Type of the file's labels.
    label_cycle : int
        Colours that labels take turns with; labels of more than 32 bits keep their
        place in the turn. 0: no such order.
    """

    name: str
    upload_dtype: np.dtype[np.generic]
    scale: float = 1.0
    offset: float = 0.0
    is_integer: bool = False
    may_be_nonfinite: bool = False
    label_dtype: np.dtype[np.generic] | None = None
    label_cycle: int = 0

    @property
    def itemsize(self) -> int:
        """Bytes of one voxel on the GPU."""
        return self.upload_dtype.itemsize

    def to_sample(self, value: float) -> float:
        """Turn a value of the file into what the shader samples."""
        return (value - self.offset) / self.scale

    def convert(self, data: NDArray[np.generic]) -> NDArray[np.generic]:
        """Turn voxels into the bytes to upload, C-contiguous.

        Parameters
        ----------
        data : ndarray, shape (z, y, x)
            Voxels in native byte order.
        """
        if self.is_integer:
            return _label_bits(data, self.upload_dtype, self.label_cycle)
        is_normalised = self.name.endswith("unorm")
        if data.dtype.kind == "i" and is_normalised:
            unsigned = np.dtype(f"u{data.dtype.itemsize}")
            # Flipping the sign bit adds half of the range: signed order becomes
            # unsigned order, without a wider type.
            flip = unsigned.type(1 << (8 * data.dtype.itemsize - 1))
            shifted: NDArray[np.generic] = np.ascontiguousarray(data).view(unsigned)
            return np.ascontiguousarray(np.bitwise_xor(shifted, flip))
        if (self.scale, self.offset) != (1.0, 0.0) and not is_normalised:
            return self._windowed(data)
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(data, dtype=self.upload_dtype)

    def _windowed(self, data: NDArray[np.generic]) -> NDArray[np.generic]:
        if data.dtype.kind in "iu":
            # Differences of integers are exact; as floats the integers would not be.
            # They wrap, and are right as signed numbers.
            unsigned = np.ascontiguousarray(data).astype(np.uint64)
            origin = np.uint64(int(self.offset) % (1 << 64))
            away = (unsigned - origin).view(np.int64).astype(np.float64)
            away -= self.offset - int(self.offset)
        else:
            away = np.asarray(data, np.float64) - self.offset
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(away / self.scale, dtype=self.upload_dtype)

    def resolves(self, window: tuple[float, float]) -> bool:
        """Tell whether samples of 32 bits tell a window's values apart.

        Parameters
        ----------
        window : tuple of float
            Contrast limits, values of the file.
        """
        low, high = (self.to_sample(v) for v in window)
        most, span = max(abs(low), abs(high)), high - low
        return span <= 0 or (span >= most * _STEPS and span > _TINY and most < _HUGE)

    def label_word(self, label: int) -> int:
        """Return a label as it lies in the texture."""
        dtype = self.label_dtype or self.upload_dtype
        size = 8 * dtype.itemsize
        # Through the same conversion as voxels, so that equal labels give equal words.
        bits = np.array(label % (1 << size), dtype=f"u{dtype.itemsize}")
        return int(self.convert(bits.reshape(1, 1, 1).view(dtype))[0, 0, 0])

    @property
    def sign_bits(self) -> int:
        """Bits of labels whose highest one is a sign; 0 if none is."""
        dtype = self.label_dtype
        if dtype is None or dtype.kind != "i" or dtype.itemsize == 8:
            return 0
        return 8 * dtype.itemsize


def _label_bits(
    data: NDArray[np.generic], dtype: np.dtype[np.generic], cycle: int
) -> NDArray[np.generic]:
    data = np.ascontiguousarray(data)
    if data.dtype.itemsize == 8 and cycle:
        return _folded_in_turn(data, cycle).astype(dtype)
    if data.dtype.itemsize == 8:
        # Fold 64 bits into 32 so that neighbouring numbers stay distinct and 0 stays 0.
        wide = data.view(np.uint64)
        high = (wide >> np.uint64(32)).astype(np.uint32)
        return (wide.astype(np.uint32) ^ (high * np.uint32(0x9E3779B1))).astype(dtype)
    if data.dtype == np.bool_:
        return data.astype(dtype)
    return data.view(f"u{data.dtype.itemsize}")


def _folded_in_turn(data: NDArray[np.generic], cycle: int) -> NDArray[np.uint32]:
    """Fold 64 bits into 32 so that ``(label - 1) % cycle`` stays what it is.

    Numbers that fit are as they were. Of the others, those of one place in the turn
    are told apart by a hash, as far as 32 bits can.
    """
    wide = data.view(np.uint64)
    folded = wide.astype(np.uint32)
    is_wide = (wide >> np.uint64(32)) != 0
    if is_wide.any():
        # In the type of the file: a modulus goes by the sign, and wraps as it does.
        one = data.dtype.type(1)
        with np.errstate(over="ignore"):
            turns, place = np.divmod(data[is_wide] - one, data.dtype.type(cycle))
        mixed = turns.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed >> np.uint64(32)).astype(np.uint32)
        n_turns = np.uint32(((1 << 32) - 1) // cycle - 1)
        place = place.astype(np.uint32) + np.uint32(1)
        folded[is_wide] = place + np.uint32(cycle) * (mixed % n_turns)
    return folded


_STEPS = 2.0**-13
"""Least window, relative to its values: float32 has 24 bits, a picture shows 8."""
_TINY, _HUGE = 1e-30, 1e37
"""Well inside of what float32 holds with all of its bits."""
_NORMALISED = {
    "u1": ("r8unorm", "u1", 255.0, 0.0),
    "b1": ("r8unorm", "u1", 255.0, 0.0),
    "i1": ("r8unorm", "u1", 255.0, -128.0),
    "u2": ("r16unorm", "u2", 65535.0, 0.0),
    "i2": ("r16unorm", "u2", 65535.0, -32768.0),
}


def choose_format(
    dtype: np.dtype[np.generic],
    *,
    is_labels: bool = False,
    has_norm16: bool = True,
    label_cycle: int = 0,
    windows: Sequence[tuple[float, float]] = (),
) -> TextureFormat:
    """Choose the texture format of a data type.

    Parameters
    ----------
    dtype : numpy.dtype
        Of the stored voxels.
    is_labels : bool
        Whether the voxels are object numbers.
    has_norm16 : bool
        Whether the device filters 16-bit normalised textures. Without them
        16-bit integers take 32-bit floats, twice the memory.
    label_cycle : int
        Colours that labels take turns with.
    windows : sequence of tuple of float
        Contrast limits of the channels. Where 32-bit floats cannot tell their values
        apart, as in a narrow window of large integers, samples count from them.

    Raises
    ------
    OptionError
        For types that are not numbers.
    """
    code = f"{dtype.kind}{dtype.itemsize}"
    if dtype.kind not in "biuf":
        msg = (
            f"expected voxels of a real number type; found {dtype}: convert them"
            " (for complex data, show magnitude or phase)"
        )
        raise OptionError(msg)
    if is_labels and dtype.kind in "biu":
        # The GPU has no 64-bit textures: such labels are folded.
        size = min(4, dtype.itemsize)
        name = {1: "r8uint", 2: "r16uint", 4: "r32uint"}[size]
        return TextureFormat(
            name,
            np.dtype(f"u{size}"),
            is_integer=True,
            label_dtype=dtype.newbyteorder("="),
            label_cycle=label_cycle,
        )
    if code in _NORMALISED and (has_norm16 or dtype.itemsize == 1):
        name, upload, scale, offset = _NORMALISED[code]
        return TextureFormat(name, np.dtype(upload), scale, offset)
    may_be_nonfinite = dtype.kind == "f"
    if code == "f2":
        return TextureFormat(
            "r16float", np.dtype(np.float16), may_be_nonfinite=may_be_nonfinite
        )
    plain = TextureFormat(
        "r32float", np.dtype(np.float32), may_be_nonfinite=may_be_nonfinite
    )
    if code in {"f4", "u2", "i2"} or all(map(plain.resolves, windows)):
        return plain
    low, high = min(w[0] for w in windows), max(w[1] for w in windows)
    return replace(plain, offset=low, scale=high - low or 1.0)


def format_of_look(
    dtype: np.dtype[np.generic], look: Appearance, *, has_norm16: bool = True
) -> TextureFormat:
    """Choose the texture format of a layer.

    Parameters
    ----------
    dtype : numpy.dtype
        Of the stored voxels.
    look : Appearance
        Gives labels and contrast limits.
    has_norm16 : bool
        As for :func:`choose_format`.
    """
    colors = look.label_colors
    return choose_format(
        dtype,
        is_labels=look.is_labels,
        has_norm16=has_norm16,
        label_cycle=0 if colors is None else len(colors) - 1,
        windows=[channel.contrast for channel in look.channels],
    )


@dataclass(frozen=True, eq=False)
class LabelTable:
    """What is sent of the colours of labels.

    Attributes
    ----------
    rows : ndarray, shape (n, 2), uint32
        Label and colour (red in the lowest byte).
    n_own : int
        Labels with a colour of their own.
    n_cycle : int
        Colours that the others take turns with, that of 0 included; 0 leaves the
        colours to the shader.
    has_clear : bool
        Whether a label may be invisible, so that rays have to look its colour up.
    """

    rows: NDArray[np.uint32] = field(
        default_factory=lambda: np.zeros((1, 2), np.uint32)
    )
    n_own: int = 0
    n_cycle: int = 0
    has_clear: bool = False


def label_table(look: Appearance, fmt: TextureFormat) -> LabelTable:
    """Make the table of an appearance.

    Parameters
    ----------
    look : Appearance
    fmt : TextureFormat
        Of labels.
    """
    if look.label_colors is None:
        return LabelTable()
    cycle = look.label_colors
    own = {fmt.label_word(k): c for k, c in look.label_overrides.items() if k != 0}
    words = np.array(sorted(own), dtype=np.uint32)
    colors = np.array([own[int(w)] for w in words], dtype=np.uint8).reshape(-1, 4)
    rows = np.zeros((len(words) + len(cycle), 2), np.uint32)
    rows[: len(words), 0] = words
    rows[:, 1] = np.ascontiguousarray(np.vstack([colors, cycle])).view("<u4")[:, 0]
    # Row 0 is the background, which is never drawn.
    has_clear = not (colors[:, 3].all() and cycle[1:, 3].all())
    return LabelTable(rows, len(words), len(cycle), has_clear)
