"""Which of a model's candidates are objects."""
