"""One function draws every result that has a picture."""

import functools
from typing import Any

from matplotlib.figure import Figure

from thalweg._core import DataError
from thalweg.basins import Fractions, Sweep
from thalweg.certificate import Certificate
from thalweg.counterexamples import GradientRun, GradientSystem
from thalweg.landscape import Atlas, Slice, Verdict
from thalweg.monitor import Record
from thalweg.nonlinear import ShallowTrajectory
from thalweg.optimizers import Comparison, Descent, DriftCurve
from thalweg.plot._atlas import draw_atlas
from thalweg.plot._certificate import draw_certificate
from thalweg.plot._comparison import draw_comparison
from thalweg.plot._counterexamples import draw_gradient_run, draw_systems
from thalweg.plot._descent import draw_descent
from thalweg.plot._figure import draw_run
from thalweg.plot._monitor import draw_record
from thalweg.plot._shallow import draw_shallow
from thalweg.plot._slice import draw_slice
from thalweg.plot._step_sweep import draw_step_sweep
from thalweg.plot._sweep import draw_fractions, draw_sweep
from thalweg.plot._verdict import draw_verdict
from thalweg.trajectory import Trajectory


@functools.singledispatch
def draw(result: Any, **options: Any) -> Figure:
    """Draw a result.

    Parameters
    ----------
    result
        Any result that has a picture: a run, a certificate, an atlas, a verdict, a slice, a
        descent, a sweep, a monitored training, a gradient system.
    **options
        For a run: ``panel`` (``"all"``, ``"loss"``, ``"modes"``, ``"singular_values"``,
        ``"drift"``, ``"norms"``) and ``max_points``. For an atlas: ``run``, whose path is laid
        over, and ``lowest``, how many levels to draw. None for a verdict. For
        a slice: ``runs``, projected onto the plane, and ``max_points``. For a descent: ``panel``
        (``"all"``, ``"loss"``, ``"drift"``, ``"identity"``) and ``run``, the flow beside it.
        For a record of a monitor: ``panel`` (``"all"``, ``"drift"``, ``"causes"``, ``"steps"``)
        and ``max_points``.
        For a sweep: ``panel`` (``"all"``, ``"fractions"``, ``"times"``, ``"staircase"``,
        ``"map"``).

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
    raise DataError(
        f"there is no picture of a {type(result).__name__}; runs (tw.flow), certificates "
        "(tw.certify), atlases (tw.atlas), verdicts (tw.classify) and sweeps (tw.sweep) have one"
    )


@draw.register
def _(result: Certificate) -> Figure:
    return draw_certificate(result)


@draw.register
def _(result: Trajectory, **options: Any) -> Figure:
    return draw_run(result, **options)


@draw.register
def _(result: Atlas, **options: Any) -> Figure:
    return draw_atlas(result, **options)


@draw.register
def _(result: Verdict, **options: Any) -> Figure:
    return draw_verdict(result, **options)


@draw.register
def _(result: Slice, **options: Any) -> Figure:
    return draw_slice(result, **options)


@draw.register
def _(result: Descent, **options: Any) -> Figure:
    return draw_descent(result, **options)


@draw.register
def _(result: DriftCurve) -> Figure:
    return draw_step_sweep(result)


@draw.register
def _(result: ShallowTrajectory) -> Figure:
    return draw_shallow(result)


@draw.register
def _(result: GradientSystem) -> Figure:
    return draw_systems([result])


@draw.register
def _(result: GradientRun) -> Figure:
    return draw_gradient_run(result)


@draw.register
def _(result: Record, **options: Any) -> Figure:
    return draw_record(result, **options)


@draw.register
def _(result: Sweep, **options: Any) -> Figure:
    return draw_sweep(result, **options)


@draw.register
def _(result: Fractions) -> Figure:
    return draw_fractions(result)


@draw.register
def _(result: Comparison) -> Figure:
    return draw_comparison(result)
