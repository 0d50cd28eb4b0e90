"""When a sweep with `until_width` may stop: planned looks at whole chunks in order of index.

Which chunks are looked at, and hence where the sweep ends, depends on the plan alone: never on the
executor, the order in which chunks come back, or an interruption. The rule looks at the width of
intervals only. A rule that stops at a result, such as an interval that excludes one half, would be
wrong far more often than its level says.
"""

from collections.abc import Iterator

from thalweg.basins.plan import Plan
from thalweg.basins.statistics._fractions import Tally

GROWTH = 1.25
"""Factor between the numbers of chunks at two looks, rounded up."""


def looks(chunks: int) -> Iterator[int]:
    """Return after how many chunks, counted from the first, there is a look."""
    count = 1
    while count < chunks:
        yield count
        count = max(count + 1, int(GROWTH * count))
    yield chunks


def narrow_enough(plan: Plan, tally: Tally, method: str = "clopper-pearson") -> bool:
    """Tell whether all intervals of kinds are as narrow as the plan asks for."""
    if plan.until_width is None:
        return False
    return tally.widths(method, 0.95) <= plan.until_width
