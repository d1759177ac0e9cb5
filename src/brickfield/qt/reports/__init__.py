"""Lines that say how far pictures and long work are."""
