"""Scans of Merlin detectors: headers, sets of files, pixels and the source."""
