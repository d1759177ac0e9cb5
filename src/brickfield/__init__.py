"""Volumes far larger than memory."""
