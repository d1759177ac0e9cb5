"""What a stream holds in memory, from the frame that comes to the unit that is written."""
