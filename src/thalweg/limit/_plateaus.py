"""Slow passages near saddles, in the order in which they are passed (Spec 5.4)."""

import dataclasses

import numpy as np

from thalweg._core import Array, Result
from thalweg.landscape import Target

CLOSENESS = 0.2
"""How near to a saddle's map, relative to the next singular value, counts as being at it."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Plateau(Result):
    """A passage near the saddles that have learned one set of directions.

    Attributes
    ----------
    learned
        The set.
    loss
        Critical value of the reducible loss there.
    t_enter, t_exit
        Flow times between which the end-to-end map stays close to that of the saddle.
    closest
        Smallest relative distance on the way (0 is at the saddle's map).
    """

    learned: tuple[int, ...]
    loss: float
    t_enter: float
    t_exit: float
    closest: float

    @property
    def duration(self) -> float:
        """Time spent."""
        return self.t_exit - self.t_enter


def find_plateaus(t: Array, products: Array, target: Target, rank: int) -> tuple[Plateau, ...]:
    """Find the saddles that a trajectory lingers at.

    Parameters
    ----------
    t
        Times, shape ``(K,)``.
    products
        End-to-end maps ``P D``, shape ``(K, d_y, k)``.
    target
        The target.
    rank
        How many directions a global minimum learns; nearness to global minima does not count.

    Returns
    -------
    tuple of Plateau
        In order of time.
    """
    strengths = target.strengths(products)
    found: list[Plateau] = []
    begin, current, closest = 0, None, np.inf
    for index in range(len(t) + 1):
        state = None
        distance = np.inf
        if index < len(t):
            learned = tuple(int(i) for i in np.flatnonzero(strengths[index] > 0.5))
            if len(learned) < rank or learned != tuple(range(rank)):
                distance = _relative_distance(products[index], target, learned)
                state = learned if distance <= CLOSENESS else None
        if state != current:
            if current is not None and index - begin >= 2:
                found.append(
                    Plateau(
                        learned=current,
                        loss=target.value(current),
                        t_enter=float(t[begin]),
                        t_exit=float(t[min(index, len(t)) - 1]),
                        closest=float(closest),
                    )
                )
            begin, current, closest = index, state, np.inf
        closest = min(closest, distance)
    return tuple(found)


def _relative_distance(product: Array, target: Target, learned: tuple[int, ...]) -> float:
    rest = np.delete(target.sigma, list(learned))
    scale = float(rest[0]) if len(rest) and rest[0] > 0 else float(target.sigma[0])
    if learned:
        scale = min(scale, float(target.sigma[list(learned)].min()))
    return target.distance(product, learned) / scale if scale > 0 else np.inf
