"""The render thread's half of a live view: draws in short steps what was posted last."""
