"""What a picture cost and how good it is, as values and as text."""
