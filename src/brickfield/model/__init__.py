"""Frozen values that every package of brickfield shares (numpy only)."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.model.appearance import BLENDINGS as BLENDINGS
    from brickfield.model.appearance import BY_DEPTH as BY_DEPTH
    from brickfield.model.appearance import BY_DEPTH_MODES as BY_DEPTH_MODES
    from brickfield.model.appearance import INTERPOLATIONS as INTERPOLATIONS
    from brickfield.model.appearance import LIGHTS as LIGHTS
    from brickfield.model.appearance import MAX_CHANNELS as MAX_CHANNELS
    from brickfield.model.appearance import MODES as MODES
    from brickfield.model.appearance import PLAIN as PLAIN
    from brickfield.model.appearance import RAKING as RAKING
    from brickfield.model.appearance import SHADED as SHADED
    from brickfield.model.appearance import Appearance as Appearance
    from brickfield.model.appearance import Blending as Blending
    from brickfield.model.appearance import ChannelAppearance as ChannelAppearance
    from brickfield.model.appearance import Interpolation as Interpolation
    from brickfield.model.appearance import Light as Light
    from brickfield.model.appearance import Lighting as Lighting
    from brickfield.model.appearance import Mode as Mode
    from brickfield.model.appearance import color_lut as color_lut
    from brickfield.model.appearance import gray_lut as gray_lut
    from brickfield.model.camera import CameraState as CameraState
    from brickfield.model.camera import physical_size as physical_size
    from brickfield.model.changes import ChunkChange as ChunkChange
    from brickfield.model.changes import Range as Range
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
    from brickfield.model.requests import Category as Category
    from brickfield.model.requests import ChunkedDataRequest as ChunkedDataRequest
    from brickfield.model.requests import ChunkedDataResponse as ChunkedDataResponse
    from brickfield.model.requests import ChunkFailure as ChunkFailure
    from brickfield.model.requests import ChunkState as ChunkState
    from brickfield.model.requests import Hole as Hole
    from brickfield.model.requests import LoadedChunk as LoadedChunk
    from brickfield.model.requests import LoadingStatus as LoadingStatus
    from brickfield.model.requests import distinct as distinct
    from brickfield.model.scales import Axis as Axis
    from brickfield.model.scales import AxisKind as AxisKind
    from brickfield.model.scales import Int3 as Int3
    from brickfield.model.scales import Pyramid as Pyramid
    from brickfield.model.scales import ScaleLevel as ScaleLevel
    from brickfield.model.scales import Vec3 as Vec3
    from brickfield.model.scales import choose_chunk_shape as choose_chunk_shape
    from brickfield.model.secrets import has_secrets as has_secrets
    from brickfield.model.secrets import hide_secrets as hide_secrets
    from brickfield.model.secrets import without_secrets as without_secrets
    from brickfield.model.transforms import AffineTransform as AffineTransform
    from brickfield.model.units import coordinates as coordinates
    from brickfield.model.units import duration as duration
    from brickfield.model.units import length as length
    from brickfield.model.units import percent as percent
    from brickfield.model.units import rate as rate
    from brickfield.model.units import round_length as round_length
    from brickfield.model.units import short_number as short_number
    from brickfield.model.units import unit_symbol as unit_symbol
    from brickfield.model.versions import LastSeen as LastSeen
    from brickfield.model.versions import VersionCounter as VersionCounter

__all__ = [
    "BLENDINGS",
    "BY_DEPTH",
    "BY_DEPTH_MODES",
    "INDEX_BITS",  # Bits of a grid index in a chunk key: at most 524,288 chunks along an axis.
    "INTERPOLATIONS",
    "LIGHTS",
    "MAX_CHANNELS",
    "MAX_LEVELS",  # Levels a key can name (5 bits are kept free, 16 are used).
    "MODES",
    "OTHER_LABELS",  # Colour of labels beside those that a store gives one.
    "PLAIN",
    "RAKING",  # Where the raking light comes from: right, up and towards the eye; length 1.
    "SHADED",
    "AffineTransform",  # A map ``y = linear @ x + shift`` of (z, y, x) points.
    "Appearance",  # How a layer looks.
    "Axis",  # One axis of a stored array.
    "AxisKind",
    "Blending",
    "CameraState",  # One moment of a camera.
    "Category",  # Order of loading; a smaller category always goes first.
    "Channel",  # One channel of an image.
    "ChannelAppearance",  # How one channel looks.
    "ChunkChange",  # Voxels of one level that are others now.
    "ChunkFailure",  # Why one chunk could not be read.
    "ChunkId",  # The name of one chunk.
    "ChunkKey",  # A packed (level, z, y, x) grid index; see :func:`pack_keys`.
    "ChunkMetadata",  # What is known of a chunk without its voxels.
    "ChunkState",  # How a chunk ended.
    "ChunkedDataRequest",  # The chunks of one selection that one visual requests.
    "ChunkedDataResponse",  # Response to a request: what is loaded, and what is still being loaded.
    "Finding",  # Something unusual in a store's metadata that the reader corrected or left.
    "Frustum",  # The visible part of the world.
    "Hole",  # A box of a chunk whose storage chunk could not be read.
    "ImageInfo",  # Everything known of one image.
    "Int3",
    "Interpolation",
    "LastSeen",  # What one reader saw last of one counter.
    "Light",
    "Lighting",  # How volumes are lit.
    "LoadedChunk",  # A chunk that reached its end: loaded, missing or failed.
    "LoadingStatus",  # Progress of one visual.
    "Mode",
    "PickInfo",  # What one pixel shows.
    "Plane",  # A plane through a point.
    "Pyramid",  # All levels of one image, level 0 the finest.
    "Range",  # First index, and the one behind the last.
    "Rgba",
    "ScaleLevel",  # One level of a pyramid.
    "Selection",  # Index on every non-spatial axis, in the array's axis order.
    "Severity",
    "Vec3",
    "VersionCounter",  # A number that only grows.
    "choose_chunk_shape",  # Choose the planned chunk of a level from what is stored.
    "color_lut",  # Black to one colour, shape (256, 4), uint8, opaque.
    "coordinates",  # Write a point as (z 12.4, y 80.1, x 33.0 µm), a tenth of a voxel exact.
    "distinct",  # Leave one failure of each storage chunk, however many chunks it lies under.
    "duration",  # Write a duration roughly, as people say it: 12 s, 3 min, 2 h.
    "gray_lut",  # Black to white, shape (256, 4), uint8, opaque.
    "has_secrets",  # Whether an address holds something that gives access.
    "hide_secrets",  # Put ``***`` for what gives access in every address of a text.
    "length",  # Write a length with a number of digits and its unit: 33.0 µm.
    "pack_keys",  # Pack levels and grid indices into chunk keys.
    "percent",  # Write a share of 0 to 100; 100 only when nothing is left.
    "physical_size",  # Return width and height in physical pixels, at least 1 each.
    "rate",  # Write a speed with two digits, in powers of 1000 as disks and networks do.
    "round_length",  # Return the largest length of the series 1, 2, 5, 10, … up to `most`.
    "short_number",  # Write a data value in a few characters, for example "65535" or "0.0123".
    "unit_symbol",  # Return a unit as people write it: micrometer is µm; "" without a unit.
    "unpack_keys",  # Unpack chunk keys.
    "vec3",  # Return three numbers as a tuple of float.
    "without_secrets",  # Mask every text in plain values, keys included.
]

_HOME = {
    "AffineTransform": "transforms",
    "Appearance": "appearance",
    "Axis": "scales",
    "AxisKind": "scales",
    "BLENDINGS": "appearance",
    "BY_DEPTH": "appearance",
    "BY_DEPTH_MODES": "appearance",
    "Blending": "appearance",
    "CameraState": "camera",
    "Category": "requests",
    "Channel": "image",
    "ChannelAppearance": "appearance",
    "ChunkChange": "changes",
    "ChunkFailure": "requests",
    "ChunkId": "chunks",
    "ChunkKey": "chunks",
    "ChunkMetadata": "chunks",
    "ChunkState": "requests",
    "ChunkedDataRequest": "requests",
    "ChunkedDataResponse": "requests",
    "Finding": "image",
    "Frustum": "frustum",
    "Hole": "requests",
    "INDEX_BITS": "chunks",
    "INTERPOLATIONS": "appearance",
    "ImageInfo": "image",
    "Int3": "scales",
    "Interpolation": "appearance",
    "LIGHTS": "appearance",
    "LastSeen": "versions",
    "Light": "appearance",
    "Lighting": "appearance",
    "LoadedChunk": "requests",
    "LoadingStatus": "requests",
    "MAX_CHANNELS": "appearance",
    "MAX_LEVELS": "chunks",
    "MODES": "appearance",
    "Mode": "appearance",
    "OTHER_LABELS": "image",
    "PLAIN": "appearance",
    "PickInfo": "picked",
    "Plane": "plane",
    "Pyramid": "scales",
    "RAKING": "appearance",
    "Range": "changes",
    "Rgba": "image",
    "SHADED": "appearance",
    "ScaleLevel": "scales",
    "Selection": "chunks",
    "Severity": "image",
    "Vec3": "scales",
    "VersionCounter": "versions",
    "choose_chunk_shape": "scales",
    "color_lut": "appearance",
    "coordinates": "units",
    "distinct": "requests",
    "duration": "units",
    "gray_lut": "appearance",
    "has_secrets": "secrets",
    "hide_secrets": "secrets",
    "length": "units",
    "pack_keys": "chunks",
    "percent": "units",
    "physical_size": "camera",
    "rate": "units",
    "round_length": "units",
    "short_number": "units",
    "unit_symbol": "units",
    "unpack_keys": "chunks",
    "vec3": "plane",
    "without_secrets": "secrets",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
