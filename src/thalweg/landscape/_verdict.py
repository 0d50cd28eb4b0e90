"""What is known of a point of the landscape."""

import dataclasses

from thalweg._core import Array, Result
from thalweg.landscape._pivots import Pivot
from thalweg.landscape._witness import DescentCurve

HIDDEN = {"witness", "message", "pivots", "descent_curve", "line", "curvature", "eigenvalues"}
"""Fields that `repr` does not print as they are."""
KINDS = (
    "global_minimum",
    "strict_saddle",
    "non_strict_saddle",
    "not_critical",
    "undecided",
)


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Verdict(Result):
    """Kind of a point, with the numbers that decided it.

    Attributes
    ----------
    kind
        One of ``global_minimum``, ``strict_saddle``, ``non_strict_saddle``, ``not_critical``,
        ``undecided``.
    learned
        Singular directions of the target that the end-to-end map has learned; sorted.
    rank
        Rank of the end-to-end map.
    loss, critical_value
        Reducible loss at the point; the critical value of the learned set.
    gradient_norm
        Frobenius norm of the gradient, in the coordinates of the flow.
    inertia
        Numbers of negative, zero, positive eigenvalues of the Hessian in the coordinates of the
        data, or ``None`` where only the extreme ones were computed.
    smallest_eigenvalue
        Least Hessian eigenvalue in the coordinates of the flow, or ``None``.
    witness
        For a strict saddle a direction of negative curvature, shaped like the weights.
    rule, message
        What decided, in a few words and in a sentence.
    pivots
        Every pivot with its two ranks, where the pivot rule decided.
    paper_case
        The paper's name for a saddle with one or two hidden layers.
    distance
        How far away, in the coordinates of the flow, an exact critical point with this learned
        set and these ranks was constructed; ``None`` where none was looked for or found.
    descent_curve
        For a non-strict saddle a line along which the loss falls.
    line, curvature
        For a strict saddle the coefficients of ``L(W + t w) - L(W)`` along the witness scaled to
        unit norm, lowest power first, and the Hessian's quadratic form there.
    eigenvalues
        The whole spectrum of the Hessian in the coordinates of the data, ascending, where it was
        computed, else ``None``.
    """

    kind: str
    learned: tuple[int, ...]
    rank: int
    loss: float
    critical_value: float
    gradient_norm: float
    inertia: tuple[int, int, int] | None
    smallest_eigenvalue: float | None
    witness: tuple[Array, ...] | None
    rule: str
    message: str
    pivots: tuple[Pivot, ...] = ()
    paper_case: str | None = None
    descent_curve: DescentCurve | None = None
    distance: float | None = None
    line: Array | None = None
    curvature: float | None = None
    eigenvalues: Array | None = None

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``: the kind first, the witness as its presence."""
        rows = [row for row in Result.summary_rows(self) if row[0] not in HIDDEN]
        rows.insert(1, ("because", self.message))
        proof = "a direction of negative curvature" if self.witness is not None else "none"
        if self.descent_curve is not None:
            proof = f"a curve of descent of order {self.descent_curve.order}"
        rows.append(("witness", proof))
        return rows
