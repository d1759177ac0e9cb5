"""One view in a window: its picture, and the hand on it."""
