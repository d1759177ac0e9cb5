"""A plain numpy ray caster of the formulas in docs/explanation/modes.md.

It shares nothing with the shader: rays come from the inverse of the camera's
matrix, voxels from whole arrays, numbers are float64, nothing is skipped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Rays:
    """One ray a pixel, data space (z, y, x); the largest component moves by 1."""

    origin: np.ndarray
    direction: np.ndarray
    t0: np.ndarray
    t1: np.ndarray
    length: np.ndarray
    shape: tuple[int, int]
    camera: object = None


def trilinear(data, points):
    """Interpolate at (n, 3) points; the edges repeat outwards."""
    top = np.array(data.shape) - 1
    low = np.floor(points).astype(int)
    f = (points - low).T
    shares = (1 - f, f)
    places = [np.clip(low + i, 0, top).T for i in range(2)]
    total = np.zeros(len(points))
    for z, y, x in np.ndindex(2, 2, 2):
        weight = shares[z][0] * shares[y][1] * shares[x][2]
        total += weight * data[places[z][0], places[y][1], places[x][2]]
    return total


def rays_of(camera, world, shape, planes=(), unit=None):
    """The part of each pixel's ray inside the volume and the clip planes.

    Lengths are counted in `unit`, by default the shortest edge of a voxel.
    """
    w, h = camera.viewport
    x = (np.arange(w) + 0.5) / w * 2 - 1
    y = 1 - (np.arange(h) + 0.5) / h * 2
    ndc = np.stack([*np.meshgrid(x, y), np.zeros((h, w)), np.ones((h, w))], -1)
    inverse = np.linalg.inv(camera.world_to_clip @ world.matrix)
    near = ndc.reshape(-1, 4) @ inverse.T
    far = (ndc + np.array([0, 0, 1, 0])).reshape(-1, 4) @ inverse.T
    near, far = near[:, :3] / near[:, 3:], far[:, :3] / far[:, 3:]
    size = np.abs(far - near).max(axis=1)
    d = (far - near) / size[:, None]
    linear = world.matrix[:3, :3]
    length = np.linalg.norm(d @ linear.T, axis=1)
    length /= unit or np.linalg.norm(linear, axis=0).min()
    rays = Rays(near, d, np.zeros(len(d)), size, length, (h, w), camera)
    for axis in range(3):
        normal = np.zeros(3)
        normal[axis] = 1
        _cut(rays, normal, 0.5)
        _cut(rays, -normal, shape[axis] - 0.5)
    for plane in np.asarray(planes, float).reshape(-1, 4):
        normal = plane[:3] @ linear
        _cut(rays, normal, plane[:3] @ world.matrix[:3, 3] + plane[3])
    return rays


def _cut(rays, normal, constant):
    slope, height = rays.direction @ normal, rays.origin @ normal + constant
    with np.errstate(divide="ignore", invalid="ignore"):
        at = -height / slope
    rays.t0 = np.where(slope > 0, np.maximum(rays.t0, at), rays.t0)
    rays.t1 = np.where(slope < 0, np.minimum(rays.t1, at), rays.t1)
    rays.t1 = np.where((slope == 0) & (height < 0), -np.inf, rays.t1)


def samples(data, rays, step=1.0):
    """Values, places and spacing of all samples, in the order of the rays.

    Returns
    -------
    values, t : ndarray, shape (k, n)
        NaN where a ray has no such sample.
    dt : ndarray, shape (n,)
    """
    n_steps = int(np.ceil(max(data.shape) / step)) + 1
    n = len(rays.origin)
    values, ts = np.full((n_steps, n), np.nan), np.full((n_steps, n), np.nan)
    axis = np.abs(rays.direction).argmax(axis=1)
    speed = np.take_along_axis(rays.direction, axis[:, None], 1)[:, 0]
    start = np.take_along_axis(rays.origin, axis[:, None], 1)[:, 0]
    for i in range(n_steps):
        k = np.where(speed > 0, i, n_steps - 1 - i)
        t = ((k + 0.5) * step - 0.5 - start) / speed
        inside = (t >= rays.t0) & (t < rays.t1)
        points = rays.origin[inside] + t[inside, None] * rays.direction[inside]
        values[i, inside] = trilinear(data, points)
        ts[i, inside] = t[inside]
    return values, ts, step / np.abs(speed)


def _normalised(values, channel):
    low, high = channel.contrast
    return np.clip((values - low) / (high - low), 0, 1) ** channel.gamma


def _colors(v, channel):
    at = np.clip(v, 0, 1) * 255
    low = np.minimum(np.floor(at).astype(int), 254)
    f = (at - low)[..., None]
    table = channel.lut / 255.0
    return table[low] * (1 - f) + table[low + 1] * f


DEPTH_COLORS = [
    (1.00, 0.93, 0.50),
    (0.98, 0.58, 0.25),
    (0.87, 0.31, 0.45),
    (0.52, 0.28, 0.70),
    (0.22, 0.40, 0.85),
]


def by_depth(color, rays, points, data, world):
    """Recolour (n, 4) by the depth of (n, 3) points, keeping the largest component."""
    box = np.indices((2, 2, 2)).reshape(3, -1).T * np.array(data.shape) - 0.5
    forward = -rays.camera.axes[2]
    near, *_, far = np.sort(world.apply(box) @ forward)
    at = 4 * np.clip((world.apply(points) @ forward - near) / (far - near), 0, 1)
    table = np.array(DEPTH_COLORS)
    tint = np.stack([np.interp(at, range(5), table[:, i]) for i in range(3)], axis=1)
    return np.hstack([color[:, :3].max(axis=1)[:, None] * tint, color[:, 3:]])


def _raking(rays, world, gradient):
    """A headlight and a light from the upper left, on the side that is seen."""
    linear = world.matrix[:3, :3]
    normal = gradient @ np.linalg.inv(linear)
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1), 1e-30)[:, None]
    direction = rays.direction @ linear.T
    direction = direction / np.linalg.norm(direction, axis=1)[:, None]
    cosine = (normal * direction).sum(axis=1)
    right, up, back = rays.camera.axes
    light = -0.72 * right + 0.60 * up + 0.35 * back
    raking = np.maximum((-np.sign(cosine)[:, None] * normal) @ light, 0)
    return 0.15 + 0.25 * np.abs(cosine) + 0.6 * raking


def _shade(rays, world, gradient, light="headlight"):
    if light == "raking":
        return _raking(rays, world, gradient)
    linear = world.matrix[:3, :3]
    normal = gradient @ np.linalg.inv(linear)
    direction = rays.direction @ linear.T
    size = np.linalg.norm(normal, axis=1) * np.linalg.norm(direction, axis=1)
    cosine = np.abs((normal * direction).sum(axis=1)) / np.where(size > 0, size, 1)
    return np.where(size > 0, 0.3 + 0.7 * cosine, 1.0)


def _first_best(values, ts, best):
    is_best = np.nan_to_num(values, nan=-np.inf) == best
    first = np.take_along_axis(ts, is_best.argmax(axis=0)[None], 0)[0]
    return np.nan_to_num(first)


def _projection(data, rays, world, look, channel):
    values, ts, dt = samples(data, rays, look.relative_step)
    has = np.isfinite(values)
    filled = {
        "mip": np.where(has, values, -np.inf).max(axis=0),
        "minip": np.where(has, values, np.inf).min(axis=0),
        "average": np.where(has, values, 0).sum(axis=0) / np.maximum(has.sum(0), 1),
    }
    if look.mode == "attenuated_mip":
        v = np.where(has, _normalised(values, channel), 0)
        weight = dt * rays.length
        before = np.cumsum(v * weight, axis=0) - v * weight
        before = np.maximum(before + v * (weight - 1) / 2, 0)
        best = (v * np.exp(-look.attenuation * before)).max(axis=0)
    else:
        best = _normalised(filled[look.mode], channel)
    if look.mode == "mip" and look.lighting.depth_colour:
        t = _first_best(values, ts, filled["mip"])
        points = rays.origin + t[:, None] * rays.direction
        color = _colors(np.where(has.any(axis=0), best, 0), channel)
        return by_depth(color, rays, points, data, world)
    return _colors(np.where(has.any(axis=0), best, 0), channel)


def _additive(data, rays, world, look, channel):
    values, _, dt = samples(data, rays, look.relative_step)
    has = np.isfinite(values)
    shown = _colors(_normalised(np.where(has, values, 0), channel), channel)
    kept = np.maximum(1 - shown[..., :3] * shown[..., 3:], 1e-6)
    exponent = np.where(has, dt * rays.length, 0)[..., None]
    light = 1 - (kept**exponent).prod(axis=0)
    return np.hstack([light, np.ones((len(light), 1))])


def _gradient(data, points):
    steps = 0.5 * np.eye(3)
    parts = [trilinear(data, points + s) - trilinear(data, points - s) for s in steps]
    return np.stack(parts, axis=1)


def _iso(data, rays, world, look, channel):
    values, ts, dt = samples(data, rays, look.relative_step)
    is_hit = np.nan_to_num(values, nan=-np.inf) >= channel.iso_threshold
    first = is_hit.argmax(axis=0)
    t = np.take_along_axis(ts, first[None], 0)[0]
    hit = is_hit.any(axis=0)
    t = np.where(hit, t, rays.t0)
    back = np.where(t - dt >= rays.t0, t - dt, t)
    for _ in range(6):
        middle = (back + t) / 2
        value = trilinear(data, rays.origin + middle[:, None] * rays.direction)
        inside = value >= channel.iso_threshold
        t, back = np.where(inside, middle, t), np.where(inside, back, middle)
    p = rays.origin + t[:, None] * rays.direction
    gradient = _gradient(data, p)
    color = _colors(
        _normalised(np.full(len(t), channel.iso_threshold), channel), channel
    )
    color[:, :3] *= _shade(rays, world, gradient, look.lighting.light)[:, None]
    if look.lighting.depth_colour:
        color = by_depth(color, rays, p, data, world)
    color[~hit] = 0
    return color


def _shaded(data, rays, world, look, channel, t):
    points = rays.origin + np.nan_to_num(t)[:, None] * rays.direction
    gradient = _gradient(data, points)
    linear = world.matrix[:3, :3]
    size = np.linalg.norm(gradient @ np.linalg.inv(linear), axis=1)
    low, high = channel.contrast
    change = size * np.linalg.norm(linear, axis=0).min() / (high - low)
    shade = _shade(rays, world, gradient, look.lighting.light)
    return 1 + np.clip(10 * change, 0, 1) * (shade - 1)


def _translucent(datas, rays, look, world):
    n = len(rays.origin)
    color, clear = np.zeros((n, 3)), np.ones(n)
    parts = [samples(d, rays, look.relative_step) for d in datas]
    exponent = parts[0][2] * rays.length
    for k in range(len(parts[0][0])):
        glow, alpha = np.zeros((n, 3)), np.zeros(n)
        for data, (values, ts, _), channel in zip(
            datas, parts, look.channels, strict=True
        ):
            has = np.isfinite(values[k])
            v = np.where(has, _normalised(np.where(has, values[k], 0), channel), 0)
            shown = _colors(v, channel)
            a = np.minimum(v * shown[:, 3] * channel.opacity, 0.9999) * has
            lit = np.ones(n)
            if look.lighting.shading:
                lit = _shaded(data, rays, world, look, channel, ts[k])
            glow += shown[:, :3] * (a * lit)[:, None]
            alpha = 1 - (1 - alpha) * (1 - a)
        covered = 1 - (1 - alpha) ** exponent
        tint = np.minimum(glow / np.maximum(alpha, 1e-30)[:, None], 1)
        color += (clear * covered)[:, None] * tint
        clear *= 1 - covered
    opacity = 1 - clear
    return np.hstack([color / np.maximum(opacity, 1e-30)[:, None], opacity[:, None]])


def cast(datas, camera, look, world, *, background=(0.0, 0.0, 0.0), unit=None):
    """Draw float64 arrays (one for each channel), shape (h, w, 3), 0 to 255."""
    rays = rays_of(camera, world, datas[0].shape, look.clip_planes, unit)
    if look.mode == "translucent":
        color = _translucent(datas, rays, look, world)
    else:
        one = {"iso": _iso, "additive": _additive}.get(look.mode, _projection)
        color = one(datas[0], rays, world, look, look.channels[0])
        color[:, 3] *= look.channels[0].opacity
    color[rays.t0 >= rays.t1] = 0
    mixed = color[:, :3] * color[:, 3:] + np.array(background) * (1 - color[:, 3:])
    return 255 * mixed.reshape(*rays.shape, 3)
