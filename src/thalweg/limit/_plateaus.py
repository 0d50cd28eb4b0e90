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
    places = _places(target, products, rank)
    found: list[Plateau] = []
    begin, current, closest = 0, None, np.inf
    for index in range(len(t) + 1):
        state, distance = places[index] if index < len(t) else (None, np.inf)
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


def saddle_nearby(product: Array, target: Target, rank: int) -> tuple[int, ...] | None:
    """Return what the saddles have learned that one end-to-end map is at, by the same measure.

    Parameters
    ----------
    product
        End-to-end map ``P D``, shape ``(d_y, k)``, in the units of `target`.
    target
        The target.
    rank
        How many directions a global minimum learns; nearness to global minima does not count.

    Returns
    -------
    tuple of int, or None
        The learned set, counted from 0; ``None`` away from every saddle.
    """
    return _places(target, product[np.newaxis], rank)[0][0]


def _places(
    target: Target, products: Array, rank: int
) -> list[tuple[tuple[int, ...] | None, float]]:
    """Return for every map the learned set of the saddles that it is at, and how near it is."""
    out: list[tuple[tuple[int, ...] | None, float]] = [(None, np.inf)] * len(products)
    groups: dict[bytes, list[int]] = {}
    near = target.strengths(products) > 0.5
    for index, row in enumerate(near):
        groups.setdefault(row.tobytes(), []).append(index)
    for own in groups.values():
        learned = tuple(int(i) for i in np.flatnonzero(near[own[0]]))
        if learned == tuple(range(rank)):
            continue
        for index, distance in zip(own, _distances(products[own], target, learned), strict=True):
            out[index] = (learned if distance <= CLOSENESS else None, float(distance))
    return out


def _distances(products: Array, target: Target, learned: tuple[int, ...]) -> Array:
    rest = np.delete(target.sigma, list(learned))
    scale = float(rest[0]) if len(rest) and rest[0] > 0 else float(target.sigma[0])
    if learned:
        scale = min(scale, float(target.sigma[list(learned)].min()))
    if scale <= 0:
        return np.full(len(products), np.inf)
    best = (target.left[:, list(learned)] * target.sigma[list(learned)]) @ target.right[
        list(learned)
    ]
    out: Array = np.sqrt(np.sum((products - best) ** 2, axis=(1, 2))) / scale
    return out
