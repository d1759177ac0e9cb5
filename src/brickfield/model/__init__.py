"""Frozen values that every package of brickfield shares (numpy only)."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.model.camera import LEAST_LENGTH as LEAST_LENGTH
    from brickfield.model.camera import CameraState as CameraState
    from brickfield.model.camera import physical_size as physical_size
    from brickfield.model.chunks import INDEX_BITS as INDEX_BITS
    from brickfield.model.chunks import MAX_LEVELS as MAX_LEVELS
    from brickfield.model.chunks import ChunkId as ChunkId
    from brickfield.model.chunks import ChunkKey as ChunkKey
    from brickfield.model.chunks import ChunkMetadata as ChunkMetadata
    from brickfield.model.chunks import Selection as Selection
    from brickfield.model.chunks import pack_keys as pack_keys
    from brickfield.model.chunks import unpack_keys as unpack_keys
    from brickfield.model.frustum import Frustum as Frustum
    from brickfield.model.image import OTHER_LABELS as OTHER_LABELS
    from brickfield.model.image import Channel as Channel
    from brickfield.model.image import Finding as Finding
    from brickfield.model.image import ImageInfo as ImageInfo
    from brickfield.model.image import Rgba as Rgba
    from brickfield.model.image import Severity as Severity
    from brickfield.model.picked import PickInfo as PickInfo
    from brickfield.model.plane import Plane as Plane
    from brickfield.model.plane import vec3 as vec3
    from brickfield.model.scales import Axis as Axis
    from brickfield.model.scales import AxisKind as AxisKind
    from brickfield.model.scales import Int3 as Int3
    from brickfield.model.scales import Pyramid as Pyramid
    from brickfield.model.scales import ScaleLevel as ScaleLevel
    from brickfield.model.scales import Vec3 as Vec3
    from brickfield.model.scales import choose_chunk_shape as choose_chunk_shape
    from brickfield.model.transforms import AffineTransform as AffineTransform
    from brickfield.model.versions import VersionCounter as VersionCounter

__all__ = [
    "INDEX_BITS",  # Bits of a grid index in a chunk key: at most 524,288 chunks along an axis.
    "LEAST_LENGTH",  # In place of no length at all.
    "MAX_LEVELS",  # Levels a key can name (5 bits are kept free, 16 are used).
    "OTHER_LABELS",  # Colour of labels beside those that a store gives one.
    "AffineTransform",  # A map ``y = linear @ x + shift`` of (z, y, x) points.
    "Axis",  # One axis of a stored array.
    "AxisKind",
    "CameraState",  # One moment of a camera.
    "Channel",  # One channel of an image.
    "ChunkId",  # The name of one chunk.
    "ChunkKey",  # A packed (level, z, y, x) grid index; see :func:`pack_keys`.
    "ChunkMetadata",  # What is known of a chunk without its voxels.
    "Finding",  # Something unusual in a store's metadata that the reader corrected or left.
    "Frustum",  # The visible part of the world.
    "ImageInfo",  # Everything known of one image.
    "Int3",
    "PickInfo",  # What one pixel shows.
    "Plane",  # A plane through a point.
    "Pyramid",  # All levels of one image, level 0 the finest.
    "Rgba",
    "ScaleLevel",  # One level of a pyramid.
    "Selection",  # Index on every non-spatial axis, in the array's axis order.
    "Severity",
    "Vec3",
    "VersionCounter",  # A number that only grows.
    "choose_chunk_shape",  # Choose the planned chunk of a level from what is stored.
    "pack_keys",  # Pack levels and grid indices into chunk keys.
    "physical_size",  # Return width and height in physical pixels, at least 1 each.
    "unpack_keys",  # Unpack chunk keys.
    "vec3",  # Return three numbers as a tuple of float.
]

_HOME = {
    "AffineTransform": "transforms",
    "Axis": "scales",
    "AxisKind": "scales",
    "CameraState": "camera",
    "LEAST_LENGTH": "camera",
    "Channel": "image",
    "ChunkId": "chunks",
    "ChunkKey": "chunks",
    "ChunkMetadata": "chunks",
    "Finding": "image",
    "Frustum": "frustum",
    "INDEX_BITS": "chunks",
    "ImageInfo": "image",
    "Int3": "scales",
    "MAX_LEVELS": "chunks",
    "OTHER_LABELS": "image",
    "PickInfo": "picked",
    "Plane": "plane",
    "Pyramid": "scales",
    "Rgba": "image",
    "ScaleLevel": "scales",
    "Selection": "chunks",
    "Severity": "image",
    "Vec3": "scales",
    "VersionCounter": "versions",
    "choose_chunk_shape": "scales",
    "pack_keys": "chunks",
    "physical_size": "camera",
    "unpack_keys": "chunks",
    "vec3": "plane",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
