"""Sphinx's configuration: Furo, Markdown by MyST, the reference by autodoc; nothing is loaded from the network."""

from __future__ import annotations

import builtins
import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "kernels")]

from reference import entries  # noqa: E402  (it lies beside this file)
from sphinx.addnodes import pending_xref  # noqa: E402  (the path comes first)
from sphinx.util.nodes import find_pending_xref_condition  # noqa: E402

project = "picasso"
author = "The picasso contributors"
html_title = "picasso"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "myst-nb", ".rst": "restructuredtext", ".ipynb": "myst-nb"}
exclude_patterns = ["examples/files/**", "**/README.md"]
nb_execution_mode = "off"  # the tests execute notebooks; the site shows the outputs that they hold
suppress_warnings = ["myst.header"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
highlight_language = "text"
nitpicky = True

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True, "footer_icons": []}
pygments_style, pygments_dark_style = "tango", "monokai"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {
    name: name for name in ("ArrayLike", "NDArray", "FloatArray", "FrameAndPixels", "Location", "PathLike", "Bytes")
}
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_preprocess_types = False


def setup(app: Any) -> dict[str, bool]:
    """Lead types to their entries and leave foreign members out; pages may be read by several processes."""
    app.connect("doctree-read", lead_to_entries)
    app.connect("autodoc-skip-member", skip)
    importlib.import_module("picasso")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


PUBLIC = entries()


def lead_to_entries(_app: Any, doctree: Any) -> None:
    """Lead each type of a signature to its entry, by its last name; a type of another library is text.

    An error of a ``Raises`` section that is neither public nor Python's own stays unresolved, so the build fails.
    """
    for node in list(doctree.findall(pending_xref)):
        if node.get("refdomain") != "py":
            continue
        target = node["reftarget"]
        last = target.rsplit(".", 1)[-1]
        node["refspecific"] = False
        if target in PUBLIC.values():
            continue
        if last in PUBLIC and not hasattr(builtins, target):
            node["reftarget"] = PUBLIC[last]
        elif node["reftype"] in {"class", "obj", "data"} or hasattr(builtins, last) or "." in target:
            shown = find_pending_xref_condition(node, "resolved") or node
            node.replace_self(shown.children)


def skip(_app: Any, _what: str, _name: str, thing: Any, _skipped: bool, _options: Any) -> bool | None:
    """Leave out what a class inherits from another library or from Python."""
    raw = thing.fget if isinstance(thing, property) else getattr(thing, "__func__", thing)
    raw = getattr(raw, "func", raw)
    if inspect.isbuiltin(raw) or inspect.ismethoddescriptor(raw):
        return True
    home = getattr(raw, "__module__", None) if inspect.isroutine(raw) else None
    return True if isinstance(home, str) and not home.startswith("picasso") else None
