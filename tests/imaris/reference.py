"""What numpy makes of a whole image by the reference writer's rules."""

from __future__ import annotations

from math import prod

import numpy as np


def pyramid(image, n_levels=None):
    """All levels of a (z, y, x) image: floor of the mean, halved by the level rule."""
    levels = [image]
    while True:
        now = levels[-1]
        is_done = now.nbytes <= 1 << 20 if n_levels is None else len(levels) == n_levels
        if is_done:
            return levels
        whole = prod(now.shape)
        factors = [2 if n > 1 and 100 * n * n > whole // n else 1 for n in now.shape]
        if max(factors) == 1:
            return levels
        levels.append(means(now, factors))


def means(image, factors):
    """Floor of the mean of whole blocks; a plain mean of floats."""
    shape = [n // f for n, f in zip(image.shape, factors, strict=True)]
    cut = image[tuple(slice(n * f) for n, f in zip(shape, factors, strict=True))]
    split = [p for n, f in zip(shape, factors, strict=True) for p in (n, f)]
    found = cut.astype(np.float64).reshape(split).mean(axis=(1, 3, 5))
    return (
        found.astype(np.float32)
        if image.dtype.kind == "f"
        else found.astype(image.dtype)
    )


def histogram(image, bins):
    """Counts and range as they are stored."""
    values = image.ravel()
    if image.dtype == np.uint8:
        return np.bincount(values, minlength=256), (0.0, 255.0)
    if image.dtype == np.uint16:
        top = max(int(values.max()), 256)
        counts = np.bincount(values, minlength=top + 1)
        fine = fold(counts, 1024) if top >= 1024 else counts
        return (fine if bins == 1024 else fold(fine, 256)), (0.0, float(top))
    values = values[np.isfinite(values)].astype(np.float64)
    low, high = (values.min(), values.max()) if values.size else (0.0, 0.0)
    fine = np.histogram(values, 1024, (low, high if high > low else low + 1))[0]
    return (fine if bins == 1024 else fold(fine, 256)), (low, high)


def fold(counts, n):
    """Put bin i of m into bin i·n // m."""
    found = np.zeros(n, np.int64)
    for i, count in enumerate(counts.tolist()):
        found[i * n // len(counts)] += count
    return found


def thumbnail(images, colors, windows):
    """The picture of channels (z, y, x) with square voxels of equal extent."""
    light = np.zeros((256, 256, 3))
    _, height, width = images[0].shape
    longest = max(height, width)
    h, w = (max(1, round(256 * n / longest)) for n in (height, width))
    rows = ((np.arange(h) + 0.5) * height / h).astype(int)
    columns = ((np.arange(w) + 0.5) * width / w).astype(int)
    top, left = (256 - h) // 2, (256 - w) // 2
    for image, color, (low, high) in zip(images, colors, windows, strict=True):
        mip = image.max(axis=0).astype(float)[rows][:, columns]
        share = np.clip((mip - low) / (high - low), 0, 1)
        light[top : top + h, left : left + w] += share[..., None] * np.array(
            color, float
        )
    out = np.full((256, 256, 4), 255, np.uint8)
    out[..., :3] = np.rint(np.minimum(light, 255))
    return out.reshape(256, 1024)
