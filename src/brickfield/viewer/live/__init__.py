"""Views that follow their layers and draw in steps."""
