"""What bricks borrow from their neighbours, in memory and on the GPU."""
