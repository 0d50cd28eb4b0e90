"""A table of numbers: features, targets, names."""

import dataclasses

from thalweg._core import Array, Result


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Table(Result):
    """Features and targets, one sample in each row.

    Attributes
    ----------
    X, Y
        Shapes ``(rows, d_x)`` and ``(rows, d_y)``.
    feature_names, target_names
        Names of the columns.
    n_samples
        How many samples the rows stand for: more than there are rows if the table was reduced.
    source
        Where it comes from.
    notes
        What was done on the way: one-hot targets, widened numbers, constant columns.
    """

    X: Array
    Y: Array
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    n_samples: int
    source: str
    notes: tuple[str, ...] = ()
