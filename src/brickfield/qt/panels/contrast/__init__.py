"""The contrast window of a layer: its histogram, in a plot and in numbers."""
