"""Stored arrays, which the readers of all formats put together."""
