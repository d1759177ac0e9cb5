"""Controls above the pictures of a dock."""
