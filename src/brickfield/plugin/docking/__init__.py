"""Docks in a napari window: opened, kept, and set by preferences."""
