"""A voxel storage for programs that put voxels anywhere: all of them, and a small copy."""
