"""TIFF files, through tifffile."""
