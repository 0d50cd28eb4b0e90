"""A data set: a table with its story."""

import dataclasses
from typing import Any

from thalweg._core import Array, Result
from thalweg.data import rescale
from thalweg.problem import Problem


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Dataset(Result):
    """Features, targets and where they come from.

    Attributes
    ----------
    name
        Bundled name, or the stem of the file.
    X, Y
        Shapes ``(rows, d_x)`` and ``(rows, d_y)``, read-only.
    feature_names, target_names
        Names of the columns.
    n_samples
        How many samples the rows stand for (more than the rows of a reduced table).
    description, licence, source
        What it is, under which terms, from whom.
    notes
        What was done to the file's numbers.
    """

    name: str
    X: Array
    Y: Array
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    n_samples: int
    description: str
    licence: str
    source: str
    notes: tuple[str, ...] = ()

    def problem(
        self,
        widths: Any = None,
        *,
        metric: str = "raw",
        loss: str = "sum",
        standardize: bool = False,
        center: bool = False,
    ) -> Problem:
        """Return the problem of a linear network on these data.

        Parameters
        ----------
        widths, metric, loss
            See `Problem.from_data`.
        standardize
            Centre features and targets and give each feature unit variance first.
        center
            Only centre.

        Raises
        ------
        DimensionError
            If a width is not a positive integer.
        """
        X, Y, _ = rescale(self.X, self.Y, standardize=standardize, center=center)
        return Problem.from_data(
            X, Y, widths=widths, metric=metric, loss=loss, n_samples=self.n_samples
        )

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``."""
        shape = f"{self.n_samples} samples, {self.X.shape[1]} features, {self.Y.shape[1]} targets"
        rows = [("name", self.name), ("shape", shape), ("description", self.description)]
        rows += [("licence", self.licence), ("source", self.source)]
        return rows + [("note", note) for note in self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Return name, shapes, terms and notes; not the numbers."""
        return {
            "type": "Dataset",
            "name": self.name,
            "n_samples": self.n_samples,
            "n_features": self.X.shape[1],
            "n_targets": self.Y.shape[1],
            "feature_names": list(self.feature_names),
            "target_names": list(self.target_names),
            "description": self.description,
            "licence": self.licence,
            "source": self.source,
            "notes": list(self.notes),
        }
