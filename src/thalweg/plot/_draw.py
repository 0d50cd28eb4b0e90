"""One function draws every result that has a picture."""

import functools
from typing import Any

from matplotlib.figure import Figure

from thalweg._core import DataError
from thalweg.certificate import Certificate
from thalweg.plot._certificate import draw_certificate
from thalweg.plot._figure import draw_run
from thalweg.trajectory import Trajectory


@functools.singledispatch
def draw(result: Any, **options: Any) -> Figure:
    """Draw a result.

    Parameters
    ----------
    result
        A `Trajectory` or a `Certificate`.
    **options
        For a run: ``panel`` (``"all"``, ``"loss"``, ``"modes"``, ``"singular_values"``,
        ``"drift"``, ``"norms"``) and ``max_points``.

    Returns
    -------
    Figure
        Not shown and not known to pyplot; ``figure.savefig(path)`` writes it.

    Raises
    ------
    DataError
        If there is no picture of such a result, or an option is wrong.

    Notes
    -----
    The loss panel shows the reducible loss, its critical values (Spec 4.2) and the certified
    envelope (Spec 3.2, 3.3); colours are safe for colour-blind readers; no TeX is needed.
    """  # noqa: DOC202 (the registered functions return)
    kind = type(result).__name__
    raise DataError(f"there is no picture of a {kind}; runs (tw.flow) and certificates have one")


@draw.register
def _(result: Certificate) -> Figure:
    return draw_certificate(result)


@draw.register
def _(result: Trajectory, **options: Any) -> Figure:
    return draw_run(result, **options)
