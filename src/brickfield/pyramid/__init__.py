"""Multiscale pyramids, written block by block and resumable."""
