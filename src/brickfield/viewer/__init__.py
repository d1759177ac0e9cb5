"""Joins layers with views: from what a user wants to a picture."""
