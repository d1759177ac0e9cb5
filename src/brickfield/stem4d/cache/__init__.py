"""What was computed of a scan, kept in its EMD file or beside it.

Invariant: an item that says it is complete is of the source as it is now, of the same
parameters and algorithm; anything else is recomputed. Patterns are never changed.
"""
