"""Lower bounds on the singular values of the layers, and rates around any pivot (Spec 3.4b)."""

import numpy as np
import pytest
from scipy.optimize import minimize

import thalweg as tw
from thalweg.certificate import floors, pivots


def least_squares_of(w):
    return [float(np.linalg.svd(item, compute_uv=False)[-1]) ** 2 for item in w]


def identity_network(*scales, size=2):
    """Multiples of the identity: every conserved matrix is one, too."""
    p = tw.Problem.from_target(np.diag(np.arange(size, 0, -1.0)), dims=(size,) * (len(scales) + 1))
    return p, [scale * np.eye(size) for scale in scales]


def test_floors_of_multiples_of_the_identity_are_differences_of_squares():
    # C_j = (s_{j+1}^2 - s_j^2) I: forward the differences accumulate from W_1 = 0.
    _, w = identity_network(1.0, 2.0, 4.0, 5.0)
    np.testing.assert_allclose(
        [item[-1] for item in floors(w)], [1.0 - 4.0, 3.0, 15.0, 24.0], atol=1e-10
    )
    # ... and backward from the last one, where they grow towards the input.
    _, w = identity_network(5.0, 4.0, 2.0, 1.0)
    np.testing.assert_allclose(
        [item[-1] for item in floors(w)], [24.0, 15.0, 3.0, 1.0 - 4.0], atol=1e-10
    )


def test_accumulation_beats_single_differences():
    p, w = identity_network(1.0, 2.0, 3.0)
    c = tw.certify(p, w)
    # Remark 2 multiplies (4 - 1)(9 - 4) = 15; accumulated it is 3 * (3 + 5).
    assert c.pivot == 1
    assert c.rate == pytest.approx(24.0, rel=1e-8)


def test_the_scalar_chain_attains_the_floor():
    # dims 1-1-1: the flow can reach w_1 = 0, where w_2^2 = C_1 exactly.
    p = tw.Problem.from_target([1.0], dims=(1, 1, 1))
    w = [np.array([[-0.5]]), np.array([[1.5]])]
    run = tw.flow(p, w, t_end=20.0, rtol=1e-12)
    times = np.linspace(0.0, 2.0, 801)
    seen = min(least_squares_of(run.weights_at(float(t)))[1] for t in times)
    (floor,) = floors(w)[1]
    assert floor == pytest.approx(2.0, rel=1e-9)
    assert floor <= seen * (1 + 1e-9)
    assert seen == pytest.approx(floor, rel=1e-4)


def lowest_with_same_invariants(w, layer, rng):
    """Search weights with the same conserved matrices and a least singular value that is small."""
    shapes, sizes = [item.shape for item in w], [item.size for item in w]

    def split(flat):
        parts = np.split(flat, np.cumsum(sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    wanted = tw.invariants(w)

    def defect(flat):
        now = tw.invariants(split(flat))
        return sum(float(np.sum((a - b) ** 2)) for a, b in zip(now, wanted, strict=True))

    def goal(flat, weight):
        return least_squares_of(split(flat))[layer] + weight * defect(flat)

    flat = np.concatenate([item.ravel() for item in w])
    flat = flat + 0.3 * rng.normal(size=flat.size)
    for weight in (1e1, 1e3, 1e5):
        flat = minimize(goal, flat, args=(weight,), method="BFGS", options={"maxiter": 300}).x
    return least_squares_of(split(flat))[layer], defect(flat)


def test_no_weights_with_these_invariants_are_below_the_floor():
    """The conserved matrices are all that the floor may use: search for a counterexample."""
    rng = np.random.default_rng(5)
    gaps = []
    for _ in range(12):
        dims = [(3, 3, 2, 2), (2, 3, 3), (2, 2, 2)][rng.integers(3)]
        shapes = zip(dims[1:], dims[:-1], strict=True)
        w = [1.6**j * rng.normal(size=shape) for j, shape in enumerate(shapes)]
        layer = len(w) - 1
        floor = max(float(floors(w)[layer][-1]), 0.0)
        lowest, defect = lowest_with_same_invariants(w, layer, rng)
        assert lowest >= floor - 3.0 * np.sqrt(defect) - 1e-9
        if floor > 0.0:
            gaps.append(lowest / floor)
    assert gaps
    assert min(gaps) < 1.2  # the search does come near


@pytest.mark.parametrize(
    ("dims", "wanted"),
    [
        ((4, 4, 3, 2), [1, 2]),
        ((2, 3, 4, 4), [2, 3]),
        ((2, 4, 3, 2), [1, 2]),
        ((3, 3, 3), [1, 2]),
        ((2, 3, 3, 2), [1, 2, 3]),
        ((4, 3, 2, 3, 4), []),
        ((5, 1, 5), []),
        ((7, 2), [1]),
    ],
)
def test_pivots_are_where_sizes_rise_before_and_fall_after(dims, wanted):
    by_definition = [
        j
        for j in range(1, len(dims))
        if list(dims[:j]) == sorted(dims[:j]) and list(dims[j:]) == sorted(dims[j:], reverse=True)
    ]
    assert pivots(dims) == by_definition
    assert pivots(dims) == wanted


def random_start(rng):
    depth = int(rng.integers(1, 6))
    dims = tuple(int(n) for n in rng.integers(1, 6, size=depth + 1))
    T = rng.normal(size=(dims[-1], dims[0]))
    p = tw.Problem.from_target(T, dims=dims, D=rng.uniform(0.4, 2.0, dims[0]))
    scales = float(rng.choice([0.3, 1.0, 3.0])) ** np.arange(depth)
    largest = float(rng.uniform(0.5, 2.0))
    return p, tw.init.gaussian(p, scale=(largest / scales.max() * scales).tolist(), rng=rng)


@pytest.mark.parametrize("count", [80, pytest.param(1500, marks=pytest.mark.slow)])
def test_floors_and_the_gradient_inequality_hold_along_flows(count):
    rng = np.random.default_rng(count)
    rated = 0
    for _ in range(count):
        p, w = random_start(rng)
        c = tw.certify(p, w)
        bound = [float(item[-1]) for item in floors(p.reduce(w))]
        run = tw.flow(p, w, t_end=4.0, rtol=1e-9)
        rated += c.rule == "remark-2"
        for t in np.linspace(0.0, 4.0, 7):
            now = run.weights_at(float(t))
            for value, floor in zip(least_squares_of(now), bound, strict=True):
                assert value >= floor - 1e-6 * max(1.0, value)
            slope = sum(float(np.sum(g**2)) for g in p.gradient(now))
            # dL/dt <= -2 rate L at every point, not only on average.
            loss = p.reducible_loss(now) - c.least_loss
            assert slope >= 2.0 * c.rate * loss * (1.0 - 1e-5) - 1e-12
    assert rated > count / 10


def test_a_rising_network_is_certified_from_the_other_side():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 3, 4, 4))
    w = [2.0 * np.eye(3, 2), np.eye(4, 3), np.zeros((4, 4))]
    c = tw.certify(p, w)
    assert c.rule == "remark-2"
    assert c.pivot == 3
    # -C_2 = W_2 W_2^T, -C_1 = W_1 W_1^T - W_2^T W_2: floors 1 and 3 + 1.
    assert c.rate == pytest.approx(4.0, rel=1e-8)


def test_rates_of_several_pivots_add():
    # Orthogonal images in a wide layer: both layers keep full rank.
    p = tw.Problem.from_target([1.0], dims=(1, 2, 1))
    w = [np.array([[2.0], [0.0]]), np.array([[0.0, 3.0]])]
    c = tw.certify(p, w)
    assert c.pivot == 1
    assert c.rate == pytest.approx(9.0 + 4.0, rel=1e-8)
    slope = sum(float(np.sum(g**2)) for g in p.gradient(w))
    assert slope == pytest.approx(2 * c.rate * p.reducible_loss(w), rel=1e-8)


def test_the_metric_enters_by_its_least_value():
    T = np.array([[0.0, 0.0], [0.0, 1.5]])
    p = tw.Problem.from_target(T, dims=(2, 3, 2), D=[3.0, 0.2])
    w = [np.zeros((3, 2)), np.array([[2.0, 0.0, 0.0], [0.0, 0.5, 0.0]])]
    c = tw.certify(p, w)
    assert c.rate == pytest.approx(0.25 * 0.2**2, rel=1e-8)
    slope = sum(float(np.sum(g**2)) for g in p.gradient(w))
    assert slope == pytest.approx(2 * c.rate * p.reducible_loss(w), rel=1e-8)


def test_present_singular_values_are_not_bounds():
    # W_2 loses its size on the way: the floor must not use what it has now.
    p = tw.Problem.from_target([0.1], dims=(1, 1, 1))
    w = [np.array([[2.0]]), np.array([[2.1]])]
    c = tw.certify(p, w)
    assert c.rate == pytest.approx(2.1**2 - 2.0**2, rel=1e-8)
    end = tw.flow(p, w, t_end=30.0).final
    assert float(end[1][0, 0]) ** 2 < 0.5 * 2.1**2


def test_accumulation_stops_where_a_layer_has_fewer_columns_than_rows():
    # W_2 has one column for two rows: the least eigenvalue of W_2 W_2^T is zero, though W_2 keeps
    # full rank. Adding its singular value to the least eigenvalue of C_2 would be wrong.
    w = [np.array([[0.1, 0.0]]), np.array([[2.0], [0.0]]), np.diag([3.0, 1.0])]
    bound = [float(item[-1]) for item in floors(w)]
    # C_1 = 4 - 0.01 keeps W_2; C_2 = diag(9 - 4, 1) keeps W_3 above 1, not above 1 + 3.99.
    assert bound[1] == pytest.approx(3.99)
    assert bound[2] == pytest.approx(1.0)
    assert all(a >= b - 1e-9 for a, b in zip(least_squares_of(w)[1:], bound[1:], strict=True))


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 2), (2, 4), (4, 4)])
def test_wide_two_layer_networks_are_always_certified(inputs, outputs):
    rng = np.random.default_rng(inputs)
    T = rng.normal(size=(outputs, inputs))
    enough = inputs + outputs - 1
    for width, always in ((enough, True), (enough + 3, True), (enough - 1, False)):
        p = tw.Problem.from_target(T, dims=(inputs, width, outputs))
        starts = [tw.init.gaussian(p, scale=float(s), rng=rng) for s in rng.uniform(0.1, 2.0, 60)]
        rated = [tw.certify(p, w).rate > 0.0 for w in starts]
        assert all(rated) is always
