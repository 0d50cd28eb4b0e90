"""Sphinx configuration; ``python3 dev.py docs`` builds the pages."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "thalweg"
author = "The thalweg developers"
copyright = "2026, the thalweg developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "gallery", "executed"]
html_theme = "furo"
exclude_patterns = ["_build"]
autodoc_typehints = "description"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]
html_static_path = ["_static"]
html_css_files = ["thalweg.css"]
html_title = "thalweg"
