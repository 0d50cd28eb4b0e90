"""What a row is: the problem, the family of starts, the grid, and their numbers."""

from thalweg.basins.plan._coordinates import (
    Setting as Setting,
    degenerate as degenerate,
    gradient_room as gradient_room,
)
from thalweg.basins.plan._family import GIVEN as GIVEN, Family as Family
from thalweg.basins.plan._grams import (
    frobenius_squares as frobenius_squares,
    inner_gram as inner_gram,
    outer_gram as outer_gram,
    squared as squared,
)
from thalweg.basins.plan._grid import grid_axes as grid_axes, points as points, shown as shown
from thalweg.basins.plan._plan import (
    GIVEN_FAMILY as GIVEN_FAMILY,
    Plan as Plan,
    given_stacks as given_stacks,
)
from thalweg.basins.plan._streams import generator as generator
