"""The compiled right-hand side and second derivatives, for every instruction set."""

import itertools

import numpy as np
import pytest

from thalweg._core import IntegrationError
from thalweg.integrate import solve
from thalweg.integrate._field import Field
from thalweg.integrate._native import Core, CoreLimits, CoreState, CoreTail, instruction_sets
from thalweg.integrate._record import ROW

SETS = instruction_sets()
pytestmark = pytest.mark.skipif(not SETS, reason="no compiled core is built")
SHAPES = [
    (3, 4),
    (1, 1),
    (7, 1, 8),
    (5, 9, 3),
    (9, 17, 33),
    (33, 8, 7, 1),
    (4, 1, 5, 2),
    (6, 7, 8, 9, 5),
    (2, 3, 17, 4, 5, 6),
    (3, 4, 5, 6, 5, 4, 3),
]


def make(dims):
    rng = np.random.default_rng(sum(dims))
    field = Field(rng.standard_normal((dims[-1], dims[0])), rng.uniform(0.5, 2, dims[0]), dims)
    return field, 0.5 * rng.standard_normal(field.size), rng.standard_normal(field.size)


def plain_rhs(field, y):
    """The flow from its definition, factor by factor."""
    weights, position = [], 0
    for low, high in itertools.pairwise(field.dims):
        weights.append(y[position : position + low * high].reshape(high, low))
        position += low * high
    total = np.eye(field.dims[0])
    for weight in weights:
        total = weight @ total
    error = field.target - total @ np.diag(field.metric)
    parts = []
    for j in range(len(weights)):
        below = np.eye(field.dims[0])
        for weight in weights[:j]:
            below = weight @ below
        above = np.eye(field.dims[j + 1])
        for weight in weights[j + 1 :]:
            above = weight @ above
        parts.append((above.T @ error @ np.diag(field.metric) @ below.T).ravel())
    return 0.5 * np.sum(error**2), np.concatenate(parts)


def close(one, two):
    return np.abs(one - two).max() <= 1e-13 * max(np.abs(two).max(), 1e-3)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("dims", SHAPES)
def test_rhs_is_the_definition(dims, name):
    field, y, _ = make(dims)
    loss, slope = Core(field, name).rhs(y)
    plain_loss, plain_slope = plain_rhs(field, y)
    assert loss == pytest.approx(plain_loss, rel=1e-13)
    assert close(slope, plain_slope)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("dims", SHAPES)
def test_second_derivatives_agree_with_numpy(dims, name):
    field, y, v = make(dims)
    core = Core(field, name)
    assert close(core.hessian_product(y, v), field.hessian_product(y, v))
    dense = core.hessian(y)
    assert close(dense, field.hessian(y))
    assert close(dense, dense.T)


@pytest.mark.parametrize("dims", [(3, 4), (5, 9, 3), (4, 1, 5, 2), (2, 3, 7, 4, 5, 6)])
def test_hessian_is_the_derivative_of_the_definition(dims):
    field, y, v = make(dims)
    step = 1e-5
    difference = plain_rhs(field, y - step * v)[1] - plain_rhs(field, y + step * v)[1]
    wanted = difference / (2 * step)
    image = Core(field).hessian(y) @ v
    assert np.abs(image - wanted).max() <= 1e-7 * np.abs(wanted).max()


def test_misuse_raises_instead_of_reading_foreign_memory():
    field, y, v = make((5, 9, 3))
    core, room = Core(field), (np.empty(1, dtype=ROW), np.empty((1, field.size)))
    carried, n = np.zeros(core.carried_size), field.size
    with pytest.raises(IntegrationError, match="entries"):
        core.rhs(y[:-1])
    with pytest.raises(IntegrationError, match="entries"):
        core.hessian_product(y, v[:3])
    with pytest.raises(IntegrationError, match="entries"):
        core.run(CoreState(), CoreLimits(), carried[1:], room)
    with pytest.raises((BufferError, ValueError, TypeError)):
        core.run(CoreState(), CoreLimits(), np.repeat(carried, 2)[::2], room)
    with pytest.raises(IntegrationError, match="fit"):
        core.run(CoreState(), CoreLimits(capacity=2), carried, room)
    with pytest.raises(IntegrationError, match="limit"):
        core.run(CoreState(), CoreLimits(), carried, room, (CoreTail(), np.empty(n - 1)))
    fixed = carried.copy()
    fixed.flags.writeable = False
    with pytest.raises((BufferError, ValueError, TypeError)):
        core.run(CoreState(), CoreLimits(), fixed, room)
    with pytest.raises(IntegrationError, match="not there"):
        Core(field, "sse9")


def test_numbers_of_other_types_are_understood():
    target, start = np.diag([3, 2]), [np.eye(2, dtype=np.float32), np.eye(2)]
    runs = [
        solve(target.astype(kind), np.array([2, 1], dtype=kind), start, t_end=3.0, rtol=1e-8)
        for kind in (int, np.float32, float)
    ]
    assert np.array_equal(runs[0].y, runs[2].y)
    assert np.array_equal(runs[1].y, runs[2].y)


def test_input_of_other_layouts_is_understood():
    field, y, _ = make((5, 9, 3))
    spread = np.repeat(y, 2)[::2]
    assert np.array_equal(Core(field).rhs(spread)[1], Core(field).rhs(y)[1])
