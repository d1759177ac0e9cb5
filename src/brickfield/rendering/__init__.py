"""Views that own the GPU: they draw layers and know nothing of files."""
