"""How often a random start is certified (Spec 3.2, 3.4b)."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from thalweg._core import Array, Result, RngLike, as_count, as_generator
from thalweg.certificate._certify import evidence
from thalweg.init import gaussian
from thalweg.problem import Problem


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Share(Result):
    """Which rule certifies so many random starts.

    Attributes
    ----------
    n
        Number of starts.
    by_rule
        How many got their rate from ``"remark-2"``, from ``"anytime"``, from ``"none"``.
    from_invariants
        How many have a rate by their conserved matrices alone, whichever rate is the larger.
    global_limits
        For how many it is proved that the limit is a global minimum.
    scales
        Standard deviation of each layer.
    """

    n: int
    by_rule: dict[str, int]
    from_invariants: int
    global_limits: int
    scales: Array

    @property
    def fraction(self) -> float:
        """Fraction with a rate by the conserved matrices alone."""
        return self.from_invariants / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper-Pearson interval of that fraction, 95 %."""
        from scipy.special import betaincinv

        count, n = self.from_invariants, self.n
        low = float(betaincinv(count, n - count + 1, 0.025)) if count > 0 else 0.0
        high = float(betaincinv(count + 1, n - count, 0.975)) if count < n else 1.0
        return low, high


def certified_share(
    p: Problem,
    scale: float | Sequence[float] = 0.1,
    *,
    n: int = 1000,
    rng: RngLike = None,
) -> Share:
    """Draw Gaussian starts and count which of them are certified from the start.

    Parameters
    ----------
    p
        The problem.
    scale
        Standard deviation of the entries, one number or one for each layer.
    n
        Number of starts.
    rng
        Seed or generator; ``None`` is seed 0.

    Returns
    -------
    Share
        Counts.

    Notes
    -----
    Status: observed frequencies of proved statements. With one unit in every layer but two inputs
    the probability is ``1 - (1 + (s_2 / s_1)**2)**-0.5`` (used as a test).
    """
    n = as_count(n, "n")
    generator = as_generator(rng)
    rules = {"remark-2": 0, "anytime": 0, "none": 0}
    alone = certain = 0
    target, metric = p.flow_data()
    for _ in range(n):
        found = evidence(p.reduce(gaussian(p, scale, rng=generator)), target, metric)
        rules[found.proved.rule] += 1
        alone += found.first.rate > 0.0
        certain += found.certain
    return Share(
        n=n,
        by_rule=rules,
        from_invariants=alone,
        global_limits=certain,
        scales=np.broadcast_to(np.asarray(scale, dtype=np.float64), (p.depth,)).copy(),
    )
