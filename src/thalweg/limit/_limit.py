"""Where a trajectory ends."""

import dataclasses

from thalweg._core import Array, Result
from thalweg.landscape import Verdict


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Limit(Result):
    """The end of a trajectory and how it is known.

    Attributes
    ----------
    verdict
        Kind, learned set, loss at the limit.
    weights
        The limit, in the coordinates of the data (for ``undecided`` the last point).
    polish_distance
        Distance between the last point integrated and `weights`, in the flow's coordinates.
    gradient_before, gradient_after
        Gradient norms at those two.
    certified
        True if a theorem says that the flow from the last point integrated ends at a global
        minimum (it does not say which one; see `tail_error`).
    tail_error
        Estimated distance between `weights` and the limit of the flow, relative to their norm;
        0 at an exact critical start, ``None`` if unknown.
    decided_by, message
        What decided, in a few words and in a sentence.
    """

    verdict: Verdict
    weights: tuple[Array, ...]
    polish_distance: float
    gradient_before: float
    gradient_after: float
    certified: bool
    tail_error: float | None
    decided_by: str
    message: str

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``."""
        learned = ", ".join(map(str, self.verdict.learned)) or "none"
        return [
            ("kind", self.verdict.kind + (" (certified)" if self.certified else "")),
            ("because", self.message),
            ("learned", learned),
            ("rank", str(self.verdict.rank)),
            ("reducible loss", f"{self.verdict.loss:.12g}"),
            (
                "polish distance",
                f"{self.polish_distance:.3g} "
                f"(gradient {self.gradient_before:.2g} -> {self.gradient_after:.2g})",
            ),
            ("tail error", "unknown" if self.tail_error is None else f"{self.tail_error:.2g}"),
            ("decided by", self.decided_by),
        ]
