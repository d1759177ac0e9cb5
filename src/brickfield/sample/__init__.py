"""A sample image with real structure, made on the spot, always the same."""
