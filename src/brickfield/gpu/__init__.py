"""Bricks on the graphics device: textures, page table, ray caster."""

from __future__ import annotations

from brickfield._faces import lazily
from brickfield.gpu.device import prepare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.gpu.atlas import TextureAtlas as TextureAtlas
    from brickfield.gpu.brick_set import BrickSet as BrickSet
    from brickfield.gpu.device import GpuDevice as GpuDevice
    from brickfield.gpu.device import forget_bindings as forget_bindings
    from brickfield.gpu.device import forget_pipelines as forget_pipelines
    from brickfield.gpu.device import get_device as get_device
    from brickfield.gpu.formats import TextureFormat as TextureFormat
    from brickfield.gpu.formats import choose_format as choose_format
    from brickfield.gpu.formats import format_of_look as format_of_look
    from brickfield.gpu.formats import label_table as label_table
    from brickfield.gpu.layout import level_layouts as level_layouts
    from brickfield.gpu.layout import matrix_to_xyz as matrix_to_xyz
    from brickfield.gpu.layout import to_xyz as to_xyz
    from brickfield.gpu.material import MAX_CLIP_PLANES as MAX_CLIP_PLANES
    from brickfield.gpu.material import SLICE as SLICE
    from brickfield.gpu.material import BackgroundTextures as BackgroundTextures
    from brickfield.gpu.material import BrickMaterial as BrickMaterial
    from brickfield.gpu.material import BrickVolume as BrickVolume
    from brickfield.gpu.names import MissingNames as MissingNames
    from brickfield.gpu.names import Name as Name
    from brickfield.gpu.names import NameSet as NameSet
    from brickfield.gpu.names import is_in as is_in
    from brickfield.gpu.page_table import CONSTANT as CONSTANT
    from brickfield.gpu.page_table import DATA as DATA
    from brickfield.gpu.page_table import FAILED as FAILED
    from brickfield.gpu.page_table import Holes as Holes
    from brickfield.gpu.page_table import PageTable as PageTable
    from brickfield.gpu.wanted import Wanted as Wanted
    from brickfield.gpu.wanted import codes_of as codes_of
__all__ = [
    "CONSTANT",  # Every voxel has the value in the range word (float32 bits).
    "DATA",  # The row names a slot with voxels.
    "FAILED",  # The chunk could not be read; coarser data stand for it. With DATA: it has holes.
    "MAX_CLIP_PLANES",
    "SLICE",  # What a view with a plane draws, whatever the layer's own mode.
    "BackgroundTextures",  # Textures of what was drawn before a volume, as views.
    "BrickMaterial",  # What changes the shader's text.
    "BrickSet",  # Resident bricks and what of them is drawn.
    "BrickVolume",  # What the ray caster draws: textures of all levels and a page table.
    "GpuDevice",  # The device that all views share.
    "Holes",  # What is drawn where voxels of a chunk could not be read.
    "MissingNames",  # The missing chunks of what a plan names.
    "Name",  # Plane (which selection of the non-spatial axes) and chunk key.
    "NameSet",  # A set of names that come and go one by one, and are looked up by thousands.
    "PageTable",  # The table's CPU side. Render thread only.
    "TextureAtlas",  # Bricks of one layer in one view.
    "TextureFormat",  # How voxels of one data type lie in a texture.
    "Wanted",  # What a plan names, by plane.
    "choose_format",  # Choose the texture format of a data type.
    "codes_of",  # Put what a plan names into one sorted array.
    "forget_bindings",  # Release buffers and textures that are no longer drawn.
    "forget_pipelines",  # Release what closed renderers had, bindings included.
    "format_of_look",  # Choose the texture format of a layer.
    "get_device",  # Return the shared device, making it on the first call.
    "is_in",  # Tell which of some keys are among ascending ones.
    "label_table",  # Make the table of an appearance.
    "level_layouts",  # Derive the layout of every level.
    "matrix_to_xyz",  # Convert a map of (z, y, x, 1) points, shape (4, 4), into one of (x, y, z, 1).
    "prepare",  # Keep wgpu from probing OpenGL; call before anything else touches wgpu.
    "to_xyz",  # Reverse the last axis of values of shape (..., 3): (z, y, x) to (x, y, z).
]

_HOME = {
    "BackgroundTextures": "material",
    "BrickMaterial": "material",
    "BrickSet": "brick_set",
    "BrickVolume": "material",
    "CONSTANT": "page_table",
    "DATA": "page_table",
    "FAILED": "page_table",
    "GpuDevice": "device",
    "Holes": "page_table",
    "MAX_CLIP_PLANES": "material",
    "MissingNames": "names",
    "Name": "names",
    "NameSet": "names",
    "PageTable": "page_table",
    "SLICE": "material",
    "TextureAtlas": "atlas",
    "TextureFormat": "formats",
    "Wanted": "wanted",
    "choose_format": "formats",
    "format_of_look": "formats",
    "codes_of": "wanted",
    "forget_bindings": "device",
    "forget_pipelines": "device",
    "get_device": "device",
    "is_in": "names",
    "label_table": "formats",
    "level_layouts": "layout",
    "matrix_to_xyz": "layout",
    "to_xyz": "layout",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)

# Before pygfx is imported by anything below: see device.py for the abort that
# a later call could not prevent.
prepare()
