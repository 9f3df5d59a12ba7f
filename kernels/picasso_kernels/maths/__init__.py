"""The arithmetic of samples and rows, as plain functions on integers: what every other folder is made of."""
