"""The dock for scans of diffraction patterns (4D-STEM)."""
