"""Pictures and movies of a store, as values and in files."""
