"""What an export will write, decided before anything is written: sizes, tiles, metadata."""
