"""Imaris files (``.ims``), written from any source in one bounded pass.

Order of an export: ``inputs`` turns what was given into channels that can be read,
``plan`` decides sizes, types and memory (a frozen value, nothing is written),
``export`` runs the plan: for each time point and channel a ``cascade`` makes all
levels in one pass, ``file`` writes their chunks, ``statistics`` and ``thumbnail``
what Imaris shows of them. ``verify`` reads the finished file back.
"""
