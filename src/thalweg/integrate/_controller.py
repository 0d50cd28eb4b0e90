"""Which method takes the next step, and how long the step is."""

import numpy as np

from thalweg.integrate._field import Field
from thalweg.integrate._rock4 import choose_degree, table
from thalweg.integrate._solution import RODAS4

HYSTERESIS = 1.5
STAY = 5  # accepted steps before the method may change again
LARGEST_DENSE = 3000  # unknowns beyond which the Hessian is never factorized
SHRINK, GROW = 0.1, 8.0


def resize(error: float, before: float) -> float:
    """Return the factor for the next step of a proportional-integral controller, order four."""
    error = max(error, 1e-10)
    factor = 0.85 * error ** (-0.7 / 4) * max(before, 1e-10) ** (0.3 / 4)
    return float(min(max(factor, SHRINK), GROW))


class MethodChoice:
    """Cost of both methods per unit of time, from operation counts, so that it is repeatable.

    `ceiling` limits the step times the spectral radius where longer explicit steps amplify
    rounding so much that the loss would grow.
    """

    def __init__(self, field: Field, method: str) -> None:
        n, depth = field.size, len(field.dims) - 1
        self._fixed = {"rock4": False, "rodas4": True}.get(method)
        if self._fixed is None and n > LARGEST_DENSE:
            self._fixed = False
        products = 6.0 * field.dims[-1] * n
        call = 2e-6  # seconds for one call of NumPy; flops at 4e9 per second
        self.rhs = (6 * depth + 6) * call + products / 4e9
        dense = 8 * depth**2 * call + 8e-9 * n**2 + n**3 / 3 / 1.5e10
        self.rodas = dense + 6 * (self.rhs + 10 * call + 2e-9 * n**2)
        self.implicit = bool(self._fixed)
        self.ceiling = np.inf
        self._since = 0

    def longest(self, radius: float) -> float:
        """Return the longest step that the explicit method can take."""
        return min(table()[-1].length, self.ceiling) / radius if radius > 0 else np.inf

    def kind(self, h: float, radius: float) -> tuple[float, int]:
        """Return the length and kind of the next step when accuracy allows `h`."""
        reach = min(h, self.longest(radius))
        degree = choose_degree(reach * radius)
        if self._fixed is None and self._since >= STAY:
            explicit = table()[degree].stages * self.rhs / reach
            implicit = self.rodas / h
            ratio = implicit / explicit if self.implicit else explicit / implicit
            if ratio > HYSTERESIS:
                self.implicit, self._since = not self.implicit, 0
        return (h, RODAS4) if self.implicit else (reach, degree)

    def accepted(self) -> None:
        """Count an accepted step."""
        self._since += 1
