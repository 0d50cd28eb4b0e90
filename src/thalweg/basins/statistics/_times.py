"""Distributions of times: until the limit is certified, until a plateau is left."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from thalweg._core import Result, learned_words, number
from thalweg.basins.plan import Plan
from thalweg.basins.statistics._intervals import quantile_interval


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Times(Result):
    """Quantiles of a time at one point of the grid.

    Attributes
    ----------
    parameters
        The point.
    what
        ``"certificate"`` or ``"plateau"``.
    learned
        What is learned on the plateau, ``None`` for certificates.
    n, censored
        Starts that count, and how many of them had not got so far when they ended; these are
        taken as later than all others.
    quantiles
        For each of those asked for: which one, estimate, lower and upper end of the interval of
        the level asked for; ends may be infinite.
    """

    parameters: dict[str, Any]
    what: str
    learned: tuple[int, ...] | None
    n: int
    censored: int
    quantiles: tuple[tuple[float, float, float, float], ...]

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``."""
        where = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
        name = "certified" if self.learned is None else f"leaves {learned_words(self.learned)}"
        out = [(name, f"{self.n} starts, {self.censored} not so far{', ' if where else ''}{where}")]
        for q, value, low, high in self.quantiles:
            out.append((f"{100 * q:g} %", f"{number(value)} [{number(low)}, {number(high)}]"))
        return out


def _quantiles(
    values: list[Any], which: tuple[float, ...], level: float
) -> tuple[tuple[float, float, float, float], ...]:
    joined = np.concatenate(values) if values else np.zeros(0)
    return tuple((q, *quantile_interval(joined, q, level)) for q in which)


def decision_times(
    plan: Plan, batches: Iterable[Any], which: tuple[float, ...], level: float
) -> tuple[Times, ...]:
    """Return quantiles of the column ``t_certificate``."""
    found: dict[int, list[Any]] = {}
    for batch in batches:
        point = np.asarray(batch["index"]) % len(plan.points)
        t = batch["t_certificate"].to_numpy()
        t = np.where(np.isnan(t), np.inf, t)
        for place in np.unique(point):
            found.setdefault(int(place), []).append(t[point == place])
    return tuple(
        Times(
            parameters=plan.points[place],
            what="certificate",
            learned=None,
            n=sum(map(len, values)),
            censored=int(sum(np.sum(np.isinf(item)) for item in values)),
            quantiles=_quantiles(values, which, level),
        )
        for place, values in sorted(found.items())
    )


def plateau_times(
    plan: Plan, batches: Iterable[Any], which: tuple[float, ...], level: float
) -> tuple[Times, ...]:
    """Return quantiles of the last ``t_exit`` of every start on every plateau."""
    found: dict[tuple[int, tuple[int, ...]], list[Any]] = {}
    for batch in batches:
        for (place, learned), values in plateau_exits(plan, batch).items():
            found.setdefault((place, learned), []).append(values)
    return tuple(
        Times(
            parameters=plan.points[place],
            what="plateau",
            learned=learned,
            n=sum(map(len, values)),
            censored=int(sum(np.sum(np.isinf(item)) for item in values)),
            quantiles=_quantiles(values, which, level),
        )
        for (place, learned), values in sorted(
            found.items(), key=lambda x: (x[0][0], len(x[0][1]), x[0][1])
        )
    )


def plateau_exits(plan: Plan, batch: Any) -> dict[tuple[int, tuple[int, ...]], Any]:
    """Return for each point and learned set when starts left that plateau for the last time."""
    passed, ends = batch["plateaus"].to_pylist(), batch["t_decision"].to_numpy()
    out: dict[tuple[int, tuple[int, ...]], list[float]] = {}
    points = np.asarray(batch["index"]) % len(plan.points)
    for place, row, end in zip(points, passed, ends, strict=True):
        last = {tuple(item["learned"]): item["t_exit"] for item in row}
        for learned, t_exit in last.items():
            left = t_exit if t_exit < end else np.inf
            out.setdefault((int(place), learned), []).append(left)
    return {key: np.array(values) for key, values in out.items()}
