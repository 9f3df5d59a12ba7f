"""All that this project asks of Numba and llvmlite for the host; nothing else of it imports them.

Numba's documented interface does not lower a function once and link it into its callers, and its cache follows one
file. So this folder uses parts of Numba that may change with any release: ``lowering``, ``cache`` and ``objects`` hold
those. ``check`` compiles a small kernel through all of them. Where that fails, ``plain`` compiles the kernels by
``numba.njit`` and its own cache, with nothing that Numba does not document: slower to compile, the same result.

``memory`` and ``extending`` are what both ways share: intrinsics, as Numba's pages on extending it describe them.
"""
