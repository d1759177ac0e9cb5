"""``brickfield stem``: scans of diffraction patterns from the shell."""
