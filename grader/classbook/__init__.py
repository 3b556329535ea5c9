"""The class book: what the gradebook says of a class as a whole. Reads saved results only."""
