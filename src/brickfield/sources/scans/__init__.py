"""Scans: frames one behind the other, and the grid they were taken at."""
