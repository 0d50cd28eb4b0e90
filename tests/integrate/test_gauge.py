"""The repair of conserved matrices: what it keeps, what it restores, and when it stays away.

Oracle: products and Gram matrices in exact rationals of the doubles; NumPy's repair for which of
all changes of hidden coordinates it is.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest

import thalweg as tw
from thalweg.integrate import _gauge, _project
from thalweg.integrate._native import instruction_sets
from thalweg.network import end_to_end, pack, unpack

SETS = instruction_sets()
SHAPES = {  # the first have few enough unknowns for a factor, the last do not
    "one hidden": (5, 5, 5),
    "a single unit": (3, 1, 2),
    "wide": (2, 5, 3),
    "odd": (11, 9, 7, 3),
    "deep": (6, 6, 6, 6, 6, 6),
    "one hidden basis": (19, 21, 6),
    "two hidden basis": (13, 14, 12, 5),
    "three hidden basis": (5, 11, 9, 12, 4),
}
EPS = np.finfo(float).eps


@pytest.fixture(params=SETS or [pytest.param("none", marks=pytest.mark.skip("no compiled core"))])
def native(request, monkeypatch):
    monkeypatch.setenv("THALWEG_ENGINE", request.param)
    return request.param


def points(dims, count, drift):
    """Points along a curve, each near a point with the conserved matrices of the first."""
    rng = np.random.default_rng(7)
    start = [rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    turn = [rng.standard_normal(w.shape) for w in start]
    rows = []
    for k in range(count):
        near = [w + drift * (1 + k / count) * v for w, v in zip(start, turn, strict=True)]
        rows.append(pack(near))
    conserved = [b.T @ b - a @ a.T for a, b in itertools.pairwise(start)]
    return np.array(rows), conserved, max(float(np.linalg.norm(w)) ** 2 for w in start)


def rational(layers):
    convert = np.vectorize(Fraction, otypes=[object])
    return [convert(layer) for layer in layers]


def exact_map(layers):
    product = layers[0]
    for layer in layers[1:]:
        product = layer @ product
    return product


def size(matrix):
    return float(np.sqrt(float(np.sum(matrix * matrix))))


def worst(rows, dims, conserved):
    """Largest Frobenius norm of the error of any ``C_j``, summed in exact rationals."""
    largest = 0.0
    for y in rows:
        layers = rational(unpack(y, dims))
        for (a, b), c in zip(itertools.pairwise(layers), rational(conserved), strict=True):
            largest = max(largest, size(b.T @ b - a @ a.T - c))
    return largest


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("drift", [1e-4, 1e-8, 1e-11])
def test_matrices_are_restored_and_the_map_is_kept(native, name, drift):
    dims = SHAPES[name]
    rows, conserved, scale = points(dims, 11, drift)
    out, (before, after, good) = _gauge.repair(rows, dims, conserved, 1e-13 * scale)
    assert np.all(after <= 4 * good)
    ends = [0, 5, 10]
    assert worst(out[ends], dims, conserved) <= 5e-13 * scale
    assert before.max() == pytest.approx(worst(rows[[10]], dims, conserved), rel=1e-2)
    for k in ends[1:]:
        old, new = (exact_map(rational(unpack(y, dims))) for y in (rows[k], out[k]))
        whole = np.prod([np.linalg.norm(w, 2) for w in unpack(rows[k], dims)])
        assert size(new - old) <= 8 * len(dims) * max(dims) * EPS * whole
    if drift > 1e-9:
        assert before.min() > 1e3 * after.max()


def test_a_first_order_change_does_not_keep_the_map():
    """Negative control: ``(I - S)`` below and ``(I + S)`` above are no change of coordinates."""
    dims = SHAPES["one hidden"]
    rows, conserved, _ = points(dims, 1, 1e-4)
    layers = [w[np.newaxis] for w in unpack(rows[0], dims)]
    s = _project._solve_gauge(layers, _project._error(layers, conserved)[0], 0.0)[0]
    false = [layers[0] - s @ layers[0], layers[1] + layers[1] @ s]
    true = _project._move(layers, [s])
    old = layers[1] @ layers[0]
    assert np.linalg.norm(true[1] @ true[0] - old) <= 100 * EPS * np.linalg.norm(old)
    assert np.linalg.norm(false[1] @ false[0] - old) > 1e6 * EPS * np.linalg.norm(old)


@pytest.mark.parametrize("name", SHAPES)
def test_the_change_is_the_least(native, name):
    """As in NumPy to first order: no smaller change of the weights repairs the matrices."""
    dims = SHAPES[name]
    rows, conserved, scale = points(dims, 9, 1e-7)
    ours, _ = _gauge.repair(rows, dims, conserved, 1e-13 * scale)
    theirs = _project.project_numpy(rows, dims, conserved, 1e-13 * scale)
    moved = np.linalg.norm(theirs - rows)
    assert moved > 0
    assert np.linalg.norm(ours - theirs) <= 1e-4 * moved


@pytest.mark.parametrize("dims", [(6, 5, 5, 4), (14, 20, 5)])
@pytest.mark.parametrize("rtol", [1e-4, 1e-11])
def test_outputs_of_a_flow(native, dims, rtol):
    """Conserved matrices as at the start, losses those of the steps, and falling."""
    rng = np.random.default_rng(5)
    target, metric = rng.standard_normal((dims[-1], dims[0])), np.linspace(2.0, 0.5, dims[0])
    start = [0.4 * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    problem = tw.Problem.from_target(target, dims, metric)
    run = tw.flow(problem, start, t_end=5.0, rtol=rtol)
    assert run.drift.max() <= 1e-12
    layers = run._path.stack()
    products, _ = run._path.series
    assert np.allclose(products, end_to_end(layers) * metric, rtol=0, atol=1e-13)
    loss = 0.5 * np.sum((target - products) ** 2, axis=(1, 2))
    assert loss == pytest.approx(run.loss, abs=1e-13 * loss[0])
    assert np.all(np.diff(loss) <= 1e-13 * loss[0])


def test_good_points_keep_their_bits(native):
    dims = SHAPES["odd"]
    rows, conserved, scale = points(dims, 10, 0.0)
    out, (before, after, _) = _gauge.repair(rows, dims, conserved, 1e-13 * scale)
    assert np.array_equal(out, rows)
    assert np.array_equal(before, after)


def test_in_place_or_not_are_the_same(native):
    dims = SHAPES["two hidden basis"]
    rows, conserved, scale = points(dims, 10, 1e-6)
    kept = rows.copy()
    out = _project.project(rows, dims, conserved, 1e-13 * scale)
    assert np.array_equal(rows, kept)
    assert out is not rows
    again = _project.project(kept, dims, conserved, 1e-13 * scale, overwrite=True)
    assert np.array_equal(again, out)


@pytest.mark.parametrize("name", ["odd", "one hidden basis"])
def test_nothing_gets_worse_far_away_or_where_it_cannot_work(native, name):
    """Matrices that no change of coordinates gives: the product fixes too much of a point at 0."""
    dims = SHAPES[name]
    far, conserved, scale = points(dims, 10, 1.0)
    for rows in (far, np.zeros_like(far), 1e-170 * far):
        found = _gauge.repair(rows, dims, conserved, 1e-13 * scale)
        assert found is not None
        out, (before, after, _) = found
        assert np.all(np.isfinite(out))
        assert np.all(after <= before)
        whole = _project.project(rows, dims, conserved, 1e-13 * scale)
        assert np.all(np.isfinite(whole))
        assert worst(whole[:1], dims, conserved) <= worst(rows[:1], dims, conserved) * (1 + 1e-9)


def test_numpy_takes_what_the_core_leaves(native, monkeypatch):
    """Rows that the core did not get right go through NumPy, the others do not."""
    dims = SHAPES["one hidden"]
    rows, conserved, scale = points(dims, 6, 1e-6)
    compiled, seen = _gauge.repair, []

    def lame(rows, *args, **options):
        out, found = compiled(rows, *args, **options)
        out[2], found[1, 2] = rows[2], found[0, 2]
        return out, found

    def numpy(rows, *args):
        seen.append(len(rows))
        return fallback(rows, *args)

    fallback = _project.project_numpy
    monkeypatch.setattr(_project, "repair", lame)
    monkeypatch.setattr(_project, "project_numpy", numpy)
    out = _project.project(rows, dims, conserved, 1e-13 * scale)
    assert seen == [1]
    assert worst(out, dims, conserved) <= 5e-13 * scale


def test_when_numpy_does_it(monkeypatch):
    dims = SHAPES["one hidden"]
    rows, conserved, scale = points(dims, 4, 1e-6)
    bad = rows.copy()
    bad[1, 2] = np.nan
    assert _gauge.repair(bad, dims, conserved, 0.0) is None
    assert _gauge.repair(rows, (5, _gauge.WIDEST + 1, 5), conserved, 0.0) is None
    monkeypatch.setenv("THALWEG_ENGINE", "numpy")
    assert _gauge.repair(rows, dims, conserved, 0.0) is None
    out = _project.project(rows, dims, conserved, 1e-13 * scale)
    assert worst(out, dims, conserved) <= 5e-13 * scale
