"""Cameras of views: said by a user, fitted, moved, turned; pure functions on values."""
