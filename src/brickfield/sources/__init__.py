"""Arrays in files and in memory behind one small interface."""
