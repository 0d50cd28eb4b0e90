"""What is known for every start, what is open, which hypotheses are checked (Spec 1, 2.4, 5)."""

import math

import numpy as np
import pytest

import thalweg as tw


def statuses(p):
    sweep = tw.sweep(p, tw.init.gaussian, n=4, scale=0.5, rng=0)
    return {item.statement: (item.status, item.applies) for item in sweep.theorems()}


def test_one_hidden_layer_has_its_theorem():
    known = statuses(tw.Problem.from_target([3.0, 1.0], dims=(2, 2, 2)))
    assert known["almost every start ends at a global minimum"] == ("theorem", True)
    assert all(status == "theorem" for status, _ in known.values())


@pytest.mark.parametrize("dims", [(2, 2, 2, 2), (2, 2, 2, 2, 2)])
def test_two_hidden_layers_and_more_have_an_open_question(dims):
    known = statuses(tw.Problem.from_target([3.0, 1.0], dims=dims))
    assert known["the starts that end at saddles have measure zero"] == ("open", False)
    assert "almost every start ends at a global minimum" not in known


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dims", [(3, 2, 2), (3, 2, 2, 2), (2, 1, 3, 2)])
def test_trajectories_converge_to_a_critical_point_within_their_bounds(dims, seed):
    p = tw.Problem.from_target(np.random.default_rng(seed).normal(size=(2, dims[0])), dims=dims)
    start = tw.init.gaussian(p, scale=0.8, rng=seed)
    bounds = tw.certify(p, start).norm_bounds
    run = tw.flow(p, start)
    assert run.status == "limit"
    norms = [np.linalg.norm(w, 2) for w in run.limit.weights]
    assert all(norm <= bound for norm, bound in zip(norms, bounds, strict=True))
    slope = max(np.abs(g).max() for g in p.gradient(run.limit.weights))
    assert slope <= 1e-7 * max(1.0, max(norms)) ** (2 * len(norms))


def worst_exponent(degree, variables):
    return 1.0 / (degree * (3 * degree - 3) ** (variables - 1))


CHAIN = [np.array([[0.3]]), np.array([[0.4]]), np.array([[0.5]])]


def test_the_worst_exponent_is_that_of_the_degree_twice_the_number_of_layers():
    p = tw.Problem.from_target([2.0], dims=(1, 1, 1, 1))
    assert len(p.line(CHAIN, CHAIN)) - 1 == 6
    found = tw.certify(p, CHAIN).lojasiewicz_exponent
    assert found == pytest.approx(worst_exponent(degree=6, variables=3))


def test_the_degree_that_the_article_prints_gives_another_exponent():
    p = tw.Problem.from_target([2.0], dims=(1, 1, 1, 1))
    found = tw.certify(p, CHAIN).lojasiewicz_exponent
    assert found != pytest.approx(worst_exponent(degree=9, variables=3), rel=0.1)


def negative_space(p, w):
    """Return the directions of negative curvature, from differences of the gradient."""
    flat = np.concatenate([a.ravel() for a in w])
    shapes = [a.shape for a in w]
    cuts = np.cumsum([a.size for a in w])[:-1]

    def slope(x):
        parts = [a.reshape(s) for a, s in zip(np.split(x, cuts), shapes, strict=True)]
        return np.concatenate([g.ravel() for g in p.gradient(parts)])

    h = 1e-5
    columns = [(slope(flat + h * e) - slope(flat - h * e)) / (2 * h) for e in np.eye(flat.size)]
    values, vectors = np.linalg.eigh((np.array(columns) + np.array(columns).T) / 2)

    def move(x):
        return [a.reshape(s) for a, s in zip(np.split(flat + x, cuts), shapes, strict=True)]

    return vectors[:, values < -1e-4], values, move


@pytest.mark.parametrize("learned", [(), (0,), (1,)])
def test_no_direction_of_negative_curvature_leads_back(learned):
    """The stable set has at least as many codimensions as there are negative eigenvalues."""
    p = tw.Problem.from_target([3.0, 1.5], dims=(2, 2, 2))
    saddle = tw.critical_point(p, learned, kind="strict_saddle", rng=3)
    verdict = tw.classify(p, saddle)
    down, values, move = negative_space(p, saddle)
    assert down.shape[1] == verdict.inertia[0] > 0
    assert int(np.sum(np.abs(values) < 1e-4)) == verdict.inertia[1]
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = down @ rng.normal(size=down.shape[1])
        run = tw.flow(p, move(1e-2 * x / np.linalg.norm(x)))
        assert run.limit.verdict.critical_value < verdict.critical_value - 0.1


def test_inside_the_stable_set_it_leads_back():
    p = tw.Problem.from_target([3.0, 1.5], dims=(2, 2, 2))
    size = math.sqrt(3.0) * 0.9
    start = [np.diag([size, 0.0]), np.diag([size, 0.0])]
    verdict = tw.flow(p, start).limit.verdict
    assert (verdict.kind, verdict.learned) == ("strict_saddle", (0,))


FAULTS = {
    "A1 dimensions": ({"dims": (2, 4, 2)}, {}),
    "A2 rank of Y": ({"dims": (3, 2, 2)}, {"columns": 1}),
    "A3 distinct singular values": ({"dims": (2, 2, 2)}, {"equal": True}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_assumption_that_is_broken_is_named_with_its_number(name):
    sizes, fault = FAULTS[name]
    target = np.diag([2.0, 2.0 if "equal" in fault else 1.0])
    target = np.hstack([target, np.zeros((2, sizes["dims"][0] - 2))])
    if "columns" in fault:
        target[1] = target[0]
    p = tw.Problem.from_target(target, **sizes)
    broken = {item.name: item for item in p.assumptions if not item.holds}
    assert name in broken
    assert not p.assumptions.holds
    assert any(character.isdigit() for character in broken[name].message)


def test_assumptions_hold_where_nothing_is_broken():
    p = tw.Problem.from_target(np.diag([2.0, 1.0]), dims=(2, 2, 2))
    assert p.assumptions.holds
    assert all(item.holds for item in p.assumptions)


def sum_and_mean(time):
    """Return where the flow of the sum is at 0.05, and that of the mean at the given time."""
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    total = tw.Problem.from_data(X, Y, widths=(3,))
    mean = tw.Problem.from_data(X, Y, widths=(3,), loss="mean")
    start = tw.init.gaussian(total, scale=0.5, rng=0)
    return tw.flow(total, start, t_end=0.05).final, tw.flow(mean, start, t_end=time).final


def test_the_mean_loss_only_rescales_time():
    for a, b in zip(*sum_and_mean(time=0.05 * 20), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


def test_at_the_same_time_the_mean_loss_is_elsewhere():
    assert all(np.abs(a - b).max() > 1e-3 for a, b in zip(*sum_and_mean(time=0.05), strict=True))
