"""Volumes in memory transformed beside the window: requests, their results, signals."""
