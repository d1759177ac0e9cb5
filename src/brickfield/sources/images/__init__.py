"""What images a store holds, under which names, and how each is opened."""
