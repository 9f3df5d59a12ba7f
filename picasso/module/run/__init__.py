"""How a module runs: batches, threads, outputs, life."""
