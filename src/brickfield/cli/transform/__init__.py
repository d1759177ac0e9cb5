"""``brickfield transform …``: where voxels and points lie, and what moves them."""
