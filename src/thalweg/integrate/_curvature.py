"""The linear systems ``(shift I + Hessian) x = b`` of implicit steps, dense or matrix-free."""

from collections.abc import Callable

import numpy as np

from thalweg._core import Array
from thalweg.integrate._field import Field
from thalweg.network import prefix_products, suffix_products, unpack

LARGEST_DENSE = 600
"""Unknowns up to which the Hessian is factorized; beyond, systems are solved iteratively."""
ACCURACY = 1e-9
ITERATIONS = 200
Solve = Callable[[Array], Array | None]


def curvature_at(field: Field, y: Array) -> "DenseCurvature | KrylovCurvature":
    """Return the Hessian at a point, ready to be shifted."""
    return (DenseCurvature if field.size <= LARGEST_DENSE else KrylovCurvature)(field, y)


class DenseCurvature:
    """The Hessian as a matrix."""

    def __init__(self, field: Field, y: Array) -> None:
        self._hessian = field.hessian(y)

    def shifted(self, shift: float) -> Solve | None:
        """Return the solver for ``shift I + Hessian``; ``None`` if that is not definite."""
        from scipy.linalg import cho_factor, cho_solve  # slow to import, rarely needed

        system = self._hessian.copy()
        system.flat[:: len(system) + 1] += shift
        try:
            factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            return None
        return lambda b: cho_solve(factor, b, check_finite=False)


class KrylovCurvature:
    """The Hessian as an operator, with its Gauss-Newton part as preconditioner.

    The Hessian is ``J^T J`` minus a part as small as the error ``M``, and ``J`` has only ``d_y k``
    rows. So ``shift I + J^T J`` is inverted through a matrix of that order, however wide the
    network is, and conjugate gradients need few steps, fewer the smaller the error.
    """

    def __init__(self, field: Field, y: Array) -> None:
        self._field, self._y = field, y
        weights = unpack(y, field.dims)
        after, before = suffix_products(weights), prefix_products(weights)
        self._outs, self._ins = [], []
        for j in range(len(weights)):
            back, front = after[j + 1], before[j]
            self._outs.append(np.eye(field.dims[-1]) if back is None else back)
            self._ins.append(np.diag(field.metric) if front is None else front * field.metric)
        order = field.dims[-1] * field.dims[0]
        self._gram = np.zeros((order, order))
        for back, front in zip(self._outs, self._ins, strict=True):
            self._gram += np.kron(back @ back.T, front.T @ front)

    def shifted(self, shift: float) -> Solve | None:
        """Return the solver for ``shift I + Hessian``."""
        from scipy.linalg import cho_factor, cho_solve  # slow to import, rarely needed

        system = self._gram.copy()
        system.flat[:: len(system) + 1] += shift
        try:
            factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            return None

        def precondition(v: Array) -> Array:
            middle = cho_solve(factor, self._forward(v), check_finite=False)
            return (v - self._backward(middle)) / shift

        return lambda b: self._solve(b, shift, precondition)

    def _forward(self, v: Array) -> Array:
        parts = unpack(v, self._field.dims)
        total = sum(
            back @ part @ front
            for back, part, front in zip(self._outs, parts, self._ins, strict=True)
        )
        return np.asarray(total).ravel()

    def _backward(self, m: Array) -> Array:
        error = m.reshape(self._field.dims[-1], -1)
        pairs = zip(self._outs, self._ins, strict=True)
        return np.concatenate([(back.T @ error @ front.T).ravel() for back, front in pairs])

    def _solve(
        self, b: Array, shift: float, precondition: Callable[[Array], Array]
    ) -> Array | None:
        """Run conjugate gradients; ``None`` where the matrix is not positive definite."""
        x = np.zeros_like(b)
        rest, way = b, precondition(b)
        power = first = float(rest @ way)
        for _ in range(ITERATIONS):
            if power <= ACCURACY**2 * first:
                return x
            image = shift * way + self._field.hessian_product(self._y, way)
            curve = float(way @ image)
            if not curve > 0.0:
                return None
            step = power / curve
            x = x + step * way
            rest = rest - step * image
            better = precondition(rest)
            power, before = float(rest @ better), power
            way = better + (power / before) * way
        return None
