"""What is known of a point of the landscape."""

import dataclasses
from typing import Any

from thalweg._core import Array, Result
from thalweg.landscape._pivots import Pivot
from thalweg.landscape._witness import DescentCurve

HIDDEN = {"witness", "message", "pivots", "descent_curve", "line", "eigenvalues", "nearest"}
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
    learned_values, choices
        Their singular values; the dimension of the choice inside repeated ones, 0 if all differ.
    rank
        Rank of the end-to-end map.
    loss, critical_value
        Reducible loss at the point; the critical value of the learned set.
    gradient_norm
        Frobenius norm of the gradient, in the coordinates of the flow.
    inertia
        Numbers of negative, zero, positive eigenvalues of the Hessian, or ``None`` where only the
        extreme ones were computed.
    smallest_eigenvalue, eigenvalues
        Least Hessian eigenvalue, or ``None``; all of them, ascending, up to 600 parameters. In
        the coordinates of the flow.
    rule, message
        What decided, in a few words and in a sentence.
    pivots
        Every pivot with its two ranks, where the pivot rule decided.
    paper_case
        The paper's name for a saddle with one or two hidden layers.
    stratum_dimension
        Dimension of the set of critical points with this learned set and these ranks of all
        products of layers; ``None`` where the general rule does not apply.
    distance, nearest
        How far away, in the coordinates of the flow, an exact critical point with this learned
        set and these ranks was constructed, and that point in those of the data; ``None`` where
        none was looked for or found.
    witness, curvature, line
        For a strict saddle a direction of unit norm, shaped like the weights; the quadratic form
        of the Hessian along it, negative; and the coefficients of ``t -> L(W + t w) - L(W)``,
        lowest power first.
    descent_curve
        For a non-strict saddle a line along which the loss falls.
    """

    kind: str
    learned: tuple[int, ...]
    learned_values: tuple[float, ...]
    choices: int
    rank: int
    loss: float
    critical_value: float
    gradient_norm: float
    inertia: tuple[int, int, int] | None
    smallest_eigenvalue: float | None
    eigenvalues: Array | None
    rule: str
    message: str
    pivots: tuple[Pivot, ...] = ()
    paper_case: str | None = None
    stratum_dimension: int | None = None
    distance: float | None = None
    nearest: tuple[Array, ...] | None = None
    witness: tuple[Array, ...] | None = None
    curvature: float | None = None
    line: Array | None = None
    descent_curve: DescentCurve | None = None

    @property
    def falling(self) -> tuple[Array, ...] | None:
        """The direction in which the loss is known to fall, in the coordinates of the data.

        A strict saddle's witness, a non-strict one's descent curve, ``None`` for what is no saddle.
        """
        return self.witness if self.descent_curve is None else self.descent_curve.direction

    def _key_figure(self) -> Any:
        return self.plot()

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``: the kind, why, the witness as its presence, then the numbers."""
        rows = [
            row
            for row in Result.summary_rows(self)
            if row[0] not in HIDDEN
            and (row[1] != "None" or row[0] == "inertia")
            and row != ("choices", "0")
        ]
        proof = "none needed" if self.kind == "global_minimum" else "none"
        if self.witness is not None:
            proof = "a direction of negative curvature"
        if self.descent_curve is not None:
            proof = f"a curve of descent of order {self.descent_curve.order}"
        return [rows[0], ("because", self.message), ("witness", proof), *rows[1:]]
