"""The runtime of an engine: which sources there are, their queues and threads, how it ends."""
