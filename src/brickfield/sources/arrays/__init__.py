"""Arrays in memory and in one piece of a file."""
