"""One view in a window: its picture, and what mouse and keys do to it."""
