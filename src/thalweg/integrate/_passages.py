"""Plateaus and rest of a start that was integrated alone: as the lanes of the compiled core do."""

from collections.abc import Callable

import numpy as np

from thalweg._core import EPS, Array
from thalweg.integrate._modes import Modes
from thalweg.integrate._rows import Rows
from thalweg.network import end_to_end, prefix_products, suffix_products, unpack

UNITS = 1000 * EPS
CUTS = 40  # bisections


def passages(
    times: Array,
    products: Array,
    at: Callable[[float], Array],
    modes: Modes,
    events: Rows,
) -> int:
    """Write the plateaus of one trajectory into its row of `events`; return how many there are.

    Parameters
    ----------
    times, products
        Accepted steps and the maps ``P D`` there, shapes ``(K,)`` and ``(K, d_y, k)``.
    at
        The map at any time.
    modes
        The target.
    events
        Of the dtype `EVENT`, as many as are kept.
    """
    count, label, closest = 0, -1, np.inf
    entered = float(times[0])

    def crossing(low: float, high: float, wanted: int) -> float:
        begins_outside = modes.outside(at(low), wanted) > 0
        for _ in range(CUTS):
            middle = 0.5 * (low + high)
            same = (modes.outside(at(middle), wanted) > 0) == begins_outside
            low, high = (middle, high) if same else (low, middle)
        return high

    def close(t: float) -> None:
        nonlocal count
        if count < len(events):
            events[count] = (label, entered, t, closest)
        count += 1

    for k, t in enumerate(times):
        now, distance = modes.place(products[k])
        if now == label:
            closest = min(closest, distance)
            continue
        before = float(times[max(k - 1, 0)])
        if label >= 0:
            close(crossing(before, float(t), label))
        entered = crossing(before, float(t), now) if now >= 0 and k > 0 else float(t)
        label, closest = now, distance
    if label >= 0:
        close(float(times[-1]))
    return count


def at_rest(y: Array, slope: Array, problem: tuple[Array, Array, tuple[int, ...]]) -> bool:
    """Tell whether every entry of the slope is within rounding of the terms it is a sum of."""
    target, metric, dims = problem
    layers = unpack(np.abs(y), dims)
    sizes = np.abs(target) + end_to_end(layers) * metric
    after, before = suffix_products(layers), prefix_products(layers)
    bounds = []
    for j in range(len(layers)):
        back, front = after[j + 1], before[j]
        item = sizes * metric if back is None else back.T @ (sizes * metric)
        bounds.append((item if front is None else item @ front.T).ravel())
    return bool(np.all(np.abs(slope) <= UNITS * np.concatenate(bounds)))
