"""Recipes applied to arrays in memory, at once and on the calling thread."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.transforms.operations.operation import Volume
from brickfield.transforms.recipes import Place, Recipe, Sampling


def apply_recipe(
    recipe: Recipe, volume: NDArray[Any], *, order: int = 1, fill: float = 0.0
) -> NDArray[Any]:
    """Make the whole output of a recipe.

    Parameters
    ----------
    recipe : Recipe
    volume : ndarray, shape (z, y, x)
        Voxels of 1 world unit along every axis.
    order : {0, 1, 3}
        Of the interpolation.
    fill : float
        What there is outside.

    Returns
    -------
    ndarray, dtype of `volume`
        On the grid of `volume`; smaller where voxels are joined.

    Raises
    ------
    OptionError
        When the recipe does not fit the volume.

    Examples
    --------
    >>> volume = np.arange(8).reshape(2, 2, 2)
    >>> from brickfield.transforms import Move
    >>> apply_recipe(Move(by=(1, 0, 0)), volume)[1].tolist()
    [[0, 1], [2, 3]]
    """
    z, y, x = volume.shape
    plan = recipe.plan(Place((z, y, x)), Sampling(order, fill))
    source = Volume((z, y, x), volume.dtype, lambda region: volume[region])
    nz, ny, nx = plan.operation.output_shape((z, y, x))
    region = (slice(0, nz), slice(0, ny), slice(0, nx))
    return np.asarray(plan.operation.make(source, region))
