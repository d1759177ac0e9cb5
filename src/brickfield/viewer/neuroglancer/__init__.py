"""Neuroglancer's JSON state, written and read for what both know."""
