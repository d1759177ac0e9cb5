"""What a new source, or a program that uses brickfield, needs for its tests."""
