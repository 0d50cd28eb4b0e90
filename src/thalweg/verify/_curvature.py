"""The Hessian at a point of doubles, exactly, and how much it can change nearby."""

import itertools
import math
from fractions import Fraction

from thalweg.verify._exact import Exact, inertia, trace_of_fit
from thalweg.verify._facts import Setting
from thalweg.verify._rounding import root_up, round_up

DIGITS = 120


class Centre:
    """Bounds on layers and error at a point, and on derivatives near it."""

    def __init__(self, weights: list[Exact], setting: Setting, metric: Fraction) -> None:
        self.norms = [_spectral(weight) for weight in weights]
        square = trace_of_fit(setting.second, _excess(weights, setting))
        assert square is not None  # noqa: S101
        self.error = root_up(square / setting.divisor)
        self.metric = metric

    def changes(self, radius: Fraction) -> list[Fraction]:
        """Bound the change of the product at every order, for steps of length 1."""
        norms = [norm + radius for norm in self.norms]
        out = []
        for k in range(len(norms) + 1):
            total = sum(
                (
                    math.prod(rest, start=Fraction(1)) ** 2
                    for rest in itertools.combinations(norms, len(norms) - k)
                ),
                Fraction(0),
            )
            out.append(root_up(total / math.factorial(k)))
        return out

    def error_within(self, radius: Fraction) -> Fraction:
        """Bound the error over a ball."""
        steps = self.changes(Fraction(0))[1:]
        moved = sum((e * radius**k for k, e in enumerate(steps, start=1)), Fraction(0))
        return round_up(self.error + self.metric * moved)

    def lipschitz(self, radius: Fraction) -> Fraction:
        """Bound the third derivative over a ball."""
        e = [*self.changes(radius), Fraction(0), Fraction(0)]
        mixed = e[1] * e[2] * self.metric
        return round_up(6 * self.metric * (e[3] * self.error_within(radius) + mixed))


def _spectral(weight: Exact) -> Fraction:
    """Bound the spectral norm by the eighth root of ``||(W^T W)^4||_F``."""
    square = weight.transposed @ weight
    fourth = square @ square
    eighth = fourth @ fourth
    total = Fraction(sum(v * v for row in eighth.rows for v in row), 4**eighth.shift)
    return root_up(root_up(root_up(root_up(total))))


def _excess(weights: list[Exact], setting: Setting) -> Exact:
    """Return ``P S - G``."""
    product = weights[0]
    for weight in weights[1:]:
        product = weight @ product
    return product @ setting.second - setting.cross


def _identity(order: int) -> Exact:
    return Exact([[int(i == j) for j in range(order)] for i in range(order)], 0)


def curvature_at_least(point: list[list[list[float]]], setting: Setting, bound: Fraction) -> bool:
    """Decide whether the smallest eigenvalue of the Hessian at `point` is at least `bound`.

    The exact Hessian is rounded to `DIGITS` binary digits of its largest entry and the bound
    raised by what that can change, so that the integers stay short.
    """
    matrix = hessian([Exact.of(layer) for layer in point], setting)
    order = len(matrix)
    top = max(abs(value) for row in matrix for value in row)
    place = top.numerator.bit_length() - top.denominator.bit_length()
    scale = Fraction(2) ** (DIGITS - place)
    rounded = [[round(value * scale) for value in row] for row in matrix]
    raised = bound * setting.divisor * scale + order
    for i in range(order):
        rounded[i][i] -= math.ceil(raised)
    return inertia(rounded)[0] == 0


def hessian(weights: list[Exact], setting: Setting) -> list[list[Fraction]]:
    """Return the Hessian times the divisor; weights packed row by row, the first layer first."""
    depth = len(weights)
    front = [_identity(len(setting.second.rows))]
    for weight in weights:
        front.append(weight @ front[-1])
    back = [_identity(len(weights[-1].rows))]
    for weight in reversed(weights):
        back.insert(0, back[0] @ weight)
    excess = _excess(weights, setting)
    index = [
        (j, a, b)
        for j, weight in enumerate(weights)
        for a in range(len(weight.rows))
        for b in range(len(weight.rows[0]))
    ]
    first = [
        [_fractions(back[i + 1].transposed @ back[j + 1]) for j in range(i + 1)]
        for i in range(depth)
    ]
    second = [
        [_fractions(front[i] @ setting.second @ front[j].transposed) for j in range(i + 1)]
        for i in range(depth)
    ]
    between: dict[tuple[int, int], list[list[Fraction]]] = {}
    around: dict[tuple[int, int], list[list[Fraction]]] = {}
    for i in range(depth):
        for j in range(i):
            middle = _identity(len(weights[j].rows))
            for weight in weights[j + 1 : i]:
                middle = weight @ middle
            between[i, j] = _fractions(middle)
            around[i, j] = _fractions(front[j] @ excess.transposed @ back[i + 1])
    out = [[Fraction(0)] * len(index) for _ in index]
    for r, (i, a, b) in enumerate(index):
        for s, (j, c, e) in enumerate(index[: r + 1]):
            value = first[i][j][a][c] * second[i][j][b][e]
            if j < i:
                value += between[i, j][b][c] * around[i, j][e][a]
            out[r][s] = out[s][r] = value
    return out


def _fractions(matrix: Exact) -> list[list[Fraction]]:
    return [[Fraction(value, 2**matrix.shift) for value in row] for row in matrix.rows]
