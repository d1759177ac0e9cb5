"""Fourier transforms of scans larger than memory, written chunk by chunk.

Invariant: what is stored is unshifted, scipy's convention (no factor forward), and
the same whatever the budget and however often the work was interrupted.
"""
