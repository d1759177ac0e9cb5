"""napari's layers: made from stores, and followed as values."""
