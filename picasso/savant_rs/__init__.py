"""A door for code that moves over from ``savant_rs``: change the import lines, keep the rest.

``from savant_rs.picasso import PicassoEngine`` becomes ``from picasso.savant_rs.picasso import PicassoEngine``. The
modules here hold our names under the module paths of the reference, and no logic.
"""
