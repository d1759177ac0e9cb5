"""What can be done with a volume: matrices, grids, and operations on regions."""
