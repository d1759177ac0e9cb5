"""Layers written as files of other programs."""
