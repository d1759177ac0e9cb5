"""What is written: any source as channels, read tile by tile, each chunk once."""
