"""``brickfield stream``: images that are written while they are acquired."""
