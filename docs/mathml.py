"""Sphinx extension: formulas as MathML, so that the pages need no script and no network."""

import html

from latex2mathml.converter import convert


def visit(self, node, display):
    """Write one formula; its source is the description for whoever cannot see it."""
    from docutils import nodes

    source = node.astext()
    formula = convert(source, display=display)
    if display == "inline":
        self.body.append(formula)
    else:
        self.body.append(f'<div class="math" role="math" aria-label="{html.escape(source)}">')
        self.body.append(f"{formula}</div>")
    raise nodes.SkipNode


def setup(app):
    """Register the renderer."""
    app.add_html_math_renderer(
        "mathml",
        (lambda self, node: visit(self, node, "inline"), None),
        (lambda self, node: visit(self, node, "block"), None),
    )
    return {"parallel_read_safe": True}
