"""Sums and extremes of patterns, piece by piece while they are read."""
