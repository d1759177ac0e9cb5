"""Turned, shifted, smoothed and smaller volumes: computed beside the window, or baked.

Nothing of this is needed to look at a volume: for viewing, a turn or shift is a matrix
on the layer, exact and instant whatever the size. Voxels are made only when asked for:

- of arrays in memory by :class:`~brickfield.transforms.requests.manager.TransformManager`, with
  priorities, cancelling and a cache of results;
- of any source, into an OME-Zarr image with its pyramid, by
  :func:`~brickfield.transforms.baking.command.bake`.

Both stand on the same operations (``resample``, ``gaussian``, ``joining``), which make
any part of their result from a box of their input; ``convention`` says which way a turn
goes, and ``recipes`` turns words and world units into operations.
"""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.transforms.baking.command import bake as bake
    from brickfield.transforms.baking.options import BakeOptions as BakeOptions
    from brickfield.transforms.baking.outlook import BakeOutlook as BakeOutlook
    from brickfield.transforms.baking.outlook import look_ahead as look_ahead
    from brickfield.transforms.baking.result import BakeResult as BakeResult
    from brickfield.transforms.in_memory import apply_recipe as apply_recipe
    from brickfield.transforms.operations.convention import read_matrix as read_matrix
    from brickfield.transforms.operations.convention import rotation as rotation
    from brickfield.transforms.operations.convention import translation as translation
    from brickfield.transforms.recipes import Affine as Affine
    from brickfield.transforms.recipes import Deskew as Deskew
    from brickfield.transforms.recipes import Downsample as Downsample
    from brickfield.transforms.recipes import Gaussian as Gaussian
    from brickfield.transforms.recipes import Move as Move
    from brickfield.transforms.recipes import Place as Place
    from brickfield.transforms.recipes import Recipe as Recipe
    from brickfield.transforms.recipes import SmoothedMove as SmoothedMove
    from brickfield.transforms.requests.manager import (
        TransformManager as TransformManager,
    )
    from brickfield.transforms.requests.workers import (
        CombinedTransformWorker as CombinedTransformWorker,
    )
    from brickfield.transforms.requests.workers import (
        DownsampleWorker as DownsampleWorker,
    )
    from brickfield.transforms.requests.workers import (
        GaussianSmoothWorker as GaussianSmoothWorker,
    )
    from brickfield.transforms.requests.workers import (
        RotationTransformWorker as RotationTransformWorker,
    )
    from brickfield.transforms.requests.workers import (
        TranslationWorker as TranslationWorker,
    )
    from brickfield.transforms.requests.workers import VolumeWorker as VolumeWorker

__all__ = [
    "Affine",  # A matrix from world to world, forward.
    "BakeOptions",  # How a transformed image is written.
    "BakeOutlook",  # What baking will take.
    "BakeResult",  # What was written.
    "CombinedTransformWorker",  # A volume first turned, then shifted; voxels are sampled once.
    "Deskew",  # A stack of oblique planes, put where its voxels were.
    "Downsample",  # A volume of fewer voxels.
    "DownsampleWorker",  # A volume of fewer voxels, each the mean of those it covers.
    "Gaussian",  # A smoothed volume.
    "GaussianSmoothWorker",  # A volume smoothed.
    "Move",  # A turn, a shift, or first the one and then the other.
    "Place",  # A volume and where it lies; all (z, y, x).
    "Recipe",  # What is done with a volume.
    "RotationTransformWorker",  # A volume turned about an axis, in space.
    "SmoothedMove",  # A volume first smoothed, then turned and shifted, in one pass.
    "TransformManager",  # Transforms volumes on threads, higher priority first, then first come.
    "TranslationWorker",  # A volume shifted.
    "VolumeWorker",  # Work on one volume.
    "apply_recipe",  # Make the whole output of a recipe.
    "bake",  # Write the voxels of a transformed image, with a pyramid.
    "look_ahead",  # Tell what baking will take; nothing is written.
    "read_matrix",  # Read a 4 × 4 matrix from a JSON file.
    "rotation",  # Make the matrix of a turn, in voxels.
    "translation",  # Make the matrix of a shift by (z, y, x) voxels.
]

_HOME = {
    "TransformManager": "requests.manager",
    "RotationTransformWorker": "requests.workers",
    "TranslationWorker": "requests.workers",
    "CombinedTransformWorker": "requests.workers",
    "GaussianSmoothWorker": "requests.workers",
    "DownsampleWorker": "requests.workers",
    "VolumeWorker": "requests.workers",
    "Affine": "recipes",
    "BakeOptions": "baking.options",
    "BakeOutlook": "baking.outlook",
    "BakeResult": "baking.result",
    "Deskew": "recipes",
    "Downsample": "recipes",
    "Gaussian": "recipes",
    "Move": "recipes",
    "Place": "recipes",
    "Recipe": "recipes",
    "apply_recipe": "in_memory",
    "SmoothedMove": "recipes",
    "bake": "baking.command",
    "look_ahead": "baking.outlook",
    "read_matrix": "operations.convention",
    "rotation": "operations.convention",
    "translation": "operations.convention",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
