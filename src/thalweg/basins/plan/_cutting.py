"""How a sweep is cut into chunks: from sizes alone, so that a store is the same everywhere."""

import math

from thalweg._core import DataError
from thalweg.basins.plan._coordinates import Setting
from thalweg.problem import Problem

SECONDS = 0.7
"""About how long one core takes for a chunk."""
SMALLEST_CHUNK, LARGEST_CHUNK, PARTS = 256, 16_384, 8
"""Bounds on the starts of a chunk; a small sweep is cut into at least so many parts."""
LOOK_CHUNK = 1024
"""Most starts of a chunk where each look at the widths of intervals is after whole chunks."""
MOST_CHUNKS = 1_000_000
"""Chunks of one sweep: so many files in one folder are as many as tools get along with."""


def usual_size(
    problem: Problem, setting: Setting, count: int, *, vectorized: bool, looks: bool
) -> int:
    """Return the starts of a chunk, from operation counts; a clock would differ by machine."""
    dims = problem.reduced.dims
    work = 6.0 * dims[-1] * sum(dims[j] * dims[j + 1] for j in range(len(dims) - 1))
    each = 3e-6 + 700.0 * _stiffness(problem, setting) * work / 15e9
    each += 0.0 if vectorized else 1e-4
    fitting = 1 << int(math.log2(max(SECONDS / each, 1.0)))
    fair = max(SMALLEST_CHUNK, -(-count // PARTS))
    most = LOOK_CHUNK if looks else LARGEST_CHUNK
    return max(1, min(fitting, fair, most))


def refuse_many(count: int, size: int) -> None:
    """Refuse more starts than chunks of this size can hold.

    Raises
    ------
    DataError
        If there are too many; `size` below 1 stands for the largest.
    """
    most = MOST_CHUNKS * (size if size > 0 else LARGEST_CHUNK)
    if count > most:
        raise DataError(
            f"{count} starts are more than the {most} that one sweep of this problem can keep; "
            "give a smaller n, or make several sweeps with seeds of their own"
        )


def _stiffness(problem: Problem, setting: Setting) -> float:
    """Estimate how many more stages a step takes than the least, from the slowest direction."""
    known = setting.known
    sigma = known.sigma[: known.rank]
    if not len(sigma):
        return 1.0
    metric, power = setting.metric, 2.0 - 2.0 / problem.depth
    spread = float(metric.max() / metric.min()) ** 2 * float(sigma[0] / sigma[-1]) ** power
    return max(1.0, 0.5 * math.sqrt(min(spread, 1e8)))
