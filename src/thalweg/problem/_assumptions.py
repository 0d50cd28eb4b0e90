"""The paper's three assumptions, each with the number that decides it (Spec 1.2)."""

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np

from thalweg._core import Result, Tolerance, numerical_rank, rank_threshold
from thalweg.problem._reduction import Moments


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Assumption(Result):
    """One hypothesis: does it hold, by which number, against which threshold."""

    name: str
    holds: bool
    value: float
    threshold: float
    message: str


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Assumptions(Result):
    """Assumptions 1-3 of the paper. Iterable; ``holds`` only if every item does.

    None of them is needed to run a flow. A verdict that needs one which fails says so.
    """

    items: tuple[Assumption, ...]
    holds: bool

    def __iter__(self) -> Iterator[Assumption]:
        """Iterate over the items."""
        return iter(self.items)

    def __len__(self) -> int:
        """Count the items."""
        return len(self.items)

    def __getitem__(self, key: int | str) -> Assumption:
        """Return an item by position or by the beginning of its name."""
        if isinstance(key, str):
            return next(item for item in self.items if item.name.startswith(key))
        return self.items[key]

    def summary_rows(self) -> list[tuple[str, str]]:
        """One row per hypothesis."""
        return [
            (item.name, f"{'holds' if item.holds else 'FAILS'}: {item.message}")
            for item in self.items
        ]


def _dimensions(dims: tuple[int, ...], n_samples: int) -> Assumption:
    hidden = dims[1:-1] or (dims[-1],)
    chain = (n_samples, dims[0], max(hidden), min(hidden), dims[-1])
    slack = min(one - two for one, two in itertools.pairwise(chain))
    names = ("m", "d_x", "widest", "narrowest", "d_y")
    text = " >= ".join(f"{name}={size}" for name, size in zip(names, chain, strict=True))
    if slack >= 0:
        return Assumption(
            name="A1 dimensions", holds=True, value=float(slack), threshold=0.0, message=text
        )
    why = []
    if chain[0] < chain[1]:
        why.append("fewer samples than features: some input directions are never seen")
    if chain[1] < chain[2]:
        why.append("a hidden layer is wider than the input: harmless, compressed exactly")
    if chain[3] < chain[4]:
        why.append(f"bottleneck: only {chain[3]} of {chain[4]} directions can be learned")
    return Assumption(
        name="A1 dimensions",
        holds=False,
        value=float(slack),
        threshold=0.0,
        message=f"{text} is violated ({'; '.join(why)})",
    )


def _full_rank(
    name: str, values: np.ndarray, shape: tuple[int, int], tol: Tolerance, what: tuple[str, str]
) -> Assumption:
    rank, needed = numerical_rank(values, shape, tol), shape[0]
    threshold = rank_threshold(values, shape, tol)
    smallest = float(values[-1]) if len(values) >= needed else 0.0
    label, consequence = what
    message = f"{label} has rank {rank} of {needed}"
    if rank < needed:
        message += f": {consequence.format(missing=needed - rank)}"
    return Assumption(
        name=name, holds=rank == needed, value=smallest, threshold=threshold, message=message
    )


def check_assumptions(
    moments: Moments, dims: tuple[int, ...], n_samples: int, tol: Tolerance
) -> Assumptions:
    """Check Assumptions 1-3 (Spec 1.2) on a reduced problem."""
    d_x, d_y = dims[0], dims[-1]
    sigma = moments.sigma
    if len(sigma) < d_y:
        sigma = np.concatenate([sigma, np.zeros(d_y - len(sigma))])
    gaps = -np.diff(sigma)
    gap = float(gaps.min()) if gaps.size else float("inf")
    needed = tol.gap * float(sigma[0])
    tied = int(np.sum(gaps <= needed))
    items = (
        _dimensions(dims, n_samples),
        _full_rank(
            "A2 rank of X",
            moments.input_singular_values,
            (d_x, max(n_samples, d_x)),
            tol,
            ("X", "{missing} input directions never occur; weights along them never move"),
        ),
        _full_rank(
            "A2 rank of Y",
            moments.target_singular_values,
            (d_y, max(n_samples, d_y)),
            tol,
            ("Y", "{missing} output directions are always zero"),
        ),
        _full_rank(
            "A2 rank of the fitted target",
            moments.sigma,
            (d_y, max(len(moments.scale), d_y)),
            tol,
            (
                "the part of Y that X can explain",
                "{missing} of its singular values are zero, nothing is to be learned there",
            ),
        ),
        Assumption(
            name="A3 distinct singular values",
            holds=tied == 0,
            value=gap / float(sigma[0]) if sigma[0] > 0 else 0.0,
            threshold=tol.gap,
            message=(
                f"smallest relative gap between singular values is {gap / sigma[0]:.3g}"
                if sigma[0] > 0
                else "the target is zero"
            )
            + (f"; {tied} tied pair(s): the order of learning is not determined" if tied else ""),
        ),
    )
    return Assumptions(items=items, holds=all(item.holds for item in items))
