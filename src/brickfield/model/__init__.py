"""Frozen values that every storey of brickfield shares (numpy only)."""
