"""Machine code that came with the package: an extension module a level, made by ``picasso_build``; may be empty."""
