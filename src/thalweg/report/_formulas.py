"""The two formulas of the page as MathML."""

import re

from latex2mathml.converter import convert
from markupsafe import Markup

LOSS = r"L(W)=\tfrac{1}{2}\,\lVert Y-W_L\cdots W_1X\rVert_F^2"
MEAN_LOSS = r"L(W)=\tfrac{1}{2m}\,\lVert Y-W_L\cdots W_1X\rVert_F^2"
FLOW = r"\frac{dW_j}{dt}=-\frac{\partial L}{\partial W_j}"


def formula(source: str) -> Markup:
    """Return a formula as a MathML element."""
    element = re.sub(r'\sxmlns="[^"]*"', "", convert(source))
    return Markup(element)
