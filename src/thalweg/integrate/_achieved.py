"""How exact a run was: it is integrated again, more exactly, and compared."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._core import IntegrationError
from thalweg.network import pack, unpack

FINER = 100.0  # the second run's tolerance is that much smaller
MOST = 400  # points at which the runs are compared
TELLING = 10.0  # of the tolerances: with less between them the difference is no error


def achieved_error(pieces: Sequence[Any]) -> float:
    """Return the largest error of consecutive `Solution` pieces at what they recorded.

    Relative to the norm of the weights at that time, Frobenius norms over all layers. NaN if the
    tolerance was so small that rounding leaves no room for a finer one.

    Raises
    ------
    IntegrationError
        If the finer run does not get to the end, or the field is not a linear network's.
    """
    field, asked, solve = (getattr(pieces[0], name) for name in ("_field", "_tolerance", "_again"))
    if solve is None:
        raise IntegrationError(
            "only runs of linear networks can be done again; compare with a run at a smaller rtol"
        )
    begin, end = float(pieces[0].t[0]), float(pieces[-1].t[-1])
    if end <= begin:
        return 0.0
    numpy = pieces[0].stats["engine"] == "numpy"
    fine = solve(
        field.target,
        field.metric,
        unpack(pieces[0].y[0], field.dims),
        t0=begin,
        t_end=end,
        atol=asked / FINER,
        engine="numpy" if numpy else "auto",
    )
    if fine.t[-1] < end:
        raise IntegrationError(
            f"the run at tolerance / {FINER:g} ended at t = {fine.t[-1]:g}, not {end:g}: "
            f"{fine.message}; compare with a run of your own"
        )
    if fine._tolerance * TELLING > asked:  # noqa: SLF001
        return float("nan")
    worst = 0.0
    for piece in pieces:
        times = piece.t if len(piece.t) == len(piece.y) else piece.t[piece._kept]  # noqa: SLF001
        chosen = np.unique(np.linspace(0, len(times) - 1, min(len(times), MOST)).astype(np.int64))
        for k in chosen.tolist():
            exact = pack(fine.at(float(times[k])))
            size = float(np.linalg.norm(exact))
            error = float(np.linalg.norm(piece.y[k] - exact))
            worst = max(worst, error / size if size > 0 else error)
    return worst
