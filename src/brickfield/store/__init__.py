"""Data facade: images as stores, layers as data with looks and versions."""
