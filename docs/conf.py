"""Sphinx configuration; ``python3 dev.py docs`` builds the pages."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "thalweg"
author = "The thalweg developers"
copyright = "2026, the thalweg developers"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "gallery",
    "executed",
    "mathml",
]
html_theme = "furo"
html_math_renderer = "mathml"
exclude_patterns = ["_build"]
autodoc_typehints = "description"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_static_path = ["_static"]
html_css_files = ["thalweg.css"]
html_title = "thalweg"
autodoc_member_order = "bysource"
autodoc_typehints_description_target = "documented"


def without_constructor(_app, what, _name, obj, _options, _signature, _annotation):
    """Results are made by the functions that return them: how to construct one is no news."""
    from thalweg._core import Result

    return ("", None) if what == "class" and issubclass(obj, Result) else None


def setup(app):
    """Leave out the constructors of results."""
    app.connect("autodoc-process-signature", without_constructor)
