"""What is kept in RAM: chunks, decoded storage chunks, and the log of changes to them."""
