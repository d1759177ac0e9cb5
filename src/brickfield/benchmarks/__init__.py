"""Measurements for users; see the folder benchmarks for the developers' table."""
