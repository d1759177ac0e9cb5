"""What controls of a window show and change, without a window."""
