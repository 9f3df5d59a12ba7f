"""How a module is started."""
