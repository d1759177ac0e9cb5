"""Choosing among the images of one file: a plate with its wells, or a list."""
