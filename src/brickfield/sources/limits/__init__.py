"""How much memory a chunk may take, and how large what a file says may be."""
