"""A door for modules that were written for Savant: our names under the module paths of the reference.

``from savant.deepstream.pyfunc import NvDsPyFuncPlugin`` becomes ``from picasso.savant.deepstream.pyfunc import …``; or
the module stays as it is, and ``picasso run --compat`` answers its imports. The modules here hold no logic.
"""
