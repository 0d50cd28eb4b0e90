"""Rows say what `thalweg.flow` says; starts on stable sets come out right or undecided."""

import itertools

import numpy as np
import pytest

import thalweg as tw
from thalweg.certificate import levels

PROBLEMS = {
    "one hidden layer": lambda: tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2)),
    "two hidden layers": lambda: tw.Problem.from_target([3.0, 1.5], dims=(4, 3, 3, 2)),
    "bottleneck": lambda: tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 2, 3, 3)),
    "no hidden layer": lambda: tw.Problem.from_target([3.0, 1.0], dims=(3, 2)),
    "a direction is zero": lambda: tw.Problem.from_target([3.0, 0.0], dims=(3, 3, 2)),
    "tied": lambda: tw.Problem.from_target([2.0, 2.0], dims=(3, 3, 2)),
    "tied at the bottleneck": lambda: tw.Problem.from_target([2.0, 2.0], dims=(3, 1, 2)),
    "nothing to learn": lambda: tw.Problem.from_target(np.zeros((2, 3)), dims=(3, 3, 2)),
    "more outputs than inputs": lambda: tw.Problem.from_target(
        np.diag([3.0, 1.0, 0.5])[:, :2], dims=(2, 3, 3)
    ),
    "raw data": lambda: tw.Problem.from_data(
        np.random.default_rng(1).standard_normal((40, 4)) * [3, 1, 1, 0.3],
        np.random.default_rng(2).standard_normal((40, 2)),
        widths=(3, 3),
        loss="mean",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("t_end", [None, 2.0])
def test_rows_say_what_flow_says(name, t_end):
    p = PROBLEMS[name]()
    s = tw.sweep(p, tw.init.gaussian, n=5, scale=[0.5, 0.05], rng=3, t_end=t_end)
    for row in s.table.to_pylist():
        run = tw.flow(p, s.start(row["index"]), t_end)
        verdict = run.limit.verdict
        assert row["certified"] == run.limit.certified
        if verdict.kind == "undecided" and row["certified"]:
            assert name == "nothing to learn"  # every limit is a minimum there, the level unclear
            continue
        assert row["kind"] == verdict.kind, (row, verdict)
        if t_end is None:  # a limit that is certified early is told by the point by `flow`
            assert tuple(row["learned"]) == verdict.learned
            assert row["rank"] == verdict.rank


def chain(dims, signs, rng=None):
    """Balanced decoupled modes; a negative sign puts a mode on the stable set of zero."""
    w = [np.zeros((b, a)) for a, b in itertools.pairwise(dims)]
    for j, item in enumerate(w):
        for i, sign in enumerate(signs):
            item[i, i] = (0.3 + 0.2 * i) * (sign if j == 0 else 1.0)
    if rng is not None:
        frames = [np.linalg.qr(rng.standard_normal((d, d)))[0] for d in dims]
        frames[0], frames[-1] = np.eye(dims[0]), np.eye(dims[-1])
        w = [frames[j + 1] @ item @ frames[j].T for j, item in enumerate(w)]
    return w


def deficient(p, rng, rank=1):
    """A generic start with hidden rank one: it stays in the network of that width."""
    dims = p.dims
    frames = [None, *(rng.standard_normal((d, rank)) for d in dims[1:-1]), None]
    out = []
    for j in range(p.depth):
        left = np.eye(dims[j + 1]) if frames[j + 1] is None else frames[j + 1]
        right = np.eye(dims[j]) if frames[j] is None else frames[j]
        out.append(left @ rng.standard_normal((left.shape[1], right.shape[1])) @ right.T)
    return out


@pytest.mark.parametrize("dims", [(3, 2, 2), (3, 3, 3, 2), (4, 2, 3, 3, 2)])
def test_starts_on_stable_sets_are_right_or_undecided(dims):
    p, rng = tw.Problem.from_target([3.0, 1.0], dims=dims), np.random.default_rng(4)
    saddles = [tw.critical_point(p, (0,), "strict_saddle", rng=1)]
    stable = [
        [np.zeros((b, a)) for a, b in itertools.pairwise(dims)],
        *saddles,
        chain(dims, (1, -1)),
        chain(dims, (-1, 1)),
        *(chain(dims, (1, -1), rng) for _ in range(6)),
        *(deficient(p, rng) for _ in range(6)),
    ]
    s = tw.basins.from_starts(p, stable)
    kinds = s.table["kind"].to_pylist()
    assert "global_minimum" not in kinds
    # Where the flow cannot leave the smaller network the verdict is that of a saddle.
    assert all(kind.endswith("saddle") for kind in kinds[-6:])
    assert kinds[0] == ("strict_saddle" if len(dims) == 3 else "non_strict_saddle")


def test_tiny_starts_are_not_taken_for_saddles():
    """Their second plateau has a gradient of 1e-12 and lasts very long, but it ends."""
    p = tw.Problem.from_target([3.0, 1.0], dims=(4, 3, 3, 2))
    s = tw.sweep(p, n=6, scale=[1e-6, 1e-5], rng=0)
    assert set(s.counts()) <= {"global_minimum", "undecided"}


def test_beside_the_stable_set_the_limit_is_a_minimum():
    """Negative control: what keeps the verdict open is the start, not the caution."""
    dims = (3, 3, 3, 2)
    p, rng = tw.Problem.from_target([3.0, 1.0], dims=dims), np.random.default_rng(4)
    beside = []
    for _ in range(8):
        start = deficient(p, rng)
        beside.append([item + 1e-3 * rng.standard_normal(item.shape) for item in start])
    s = tw.basins.from_starts(p, beside)
    assert set(s.table["kind"].to_pylist()) == {"global_minimum"}


def test_one_hidden_layer_never_ends_at_a_saddle():
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 3, 3))
    s = tw.sweep(p, n=3000, scale=[0.1, 1.0], rng=1)
    assert s.fractions()["global_minimum"].count == 6000
    assert s.defects() == ()
    assert s.theorems()[1].applies


def test_plateaus_follow_the_staircase():
    p = tw.Problem.from_target([4.0, 2.0, 1.0], dims=(4, 4, 3))
    s = tw.sweep(p, n=40, scale=1e-4, rng=2)
    for row in s.table.to_pylist():
        learned = [tuple(item["learned"]) for item in row["plateaus"]]
        assert learned == [(), (0,), (0, 1)]
        times = [t for item in row["plateaus"] for t in (item["t_enter"], item["t_exit"])]
        assert times == sorted(times)
    # ln(1/scale)/sigma sets the scale of the first escape.
    first = s.plateau_times((0.5,))[0]
    assert first.learned == ()
    assert 0.3 < first.quantiles[0][1] / (np.log(1e4) / 4.0) < 1.5


def test_rates_are_bounds(tmp_path):
    """The certified rate and distance, against the integrated rest of the way."""
    p = tw.Problem.from_data(
        np.random.default_rng(1).standard_normal((40, 4)) * [2, 1, 1, 0.5],
        np.random.default_rng(2).standard_normal((40, 2)),
        widths=(3,),
    )
    from thalweg.basins.rows._rates import later_rates

    target, metric = p.flow_data()
    known = levels(target, p.max_rank)
    for seed in range(4):
        run = tw.flow(p, tw.init.gaussian(p, 0.5, rng=seed))
        loss = run.loss - p.irreducible_loss
        for part in (0.9, 0.3, 0.01):
            k = int(np.flatnonzero(loss < part * known.basin)[0])
            point = p.reduce(run.weights_at(float(run.t[k])))
            found = later_rates([w[None] for w in point], loss[k : k + 1], (target, metric), known)
            rate, path = float(found.rate[0]), float(found.path[0])
            if rate == 0.0:
                continue
            later = loss[k:] - loss[k] * np.exp(-2 * rate * (run.t[k:] - run.t[k]))
            assert later.max() <= 1e-9 * loss[k] + 1e-13
            end = p.reduce(run.limit.weights)
            gone = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(point, end, strict=True)))
            assert gone <= path * (1 + 1e-6)
        assert rate > 0.0


def test_the_rate_of_a_single_layer_is_not_counted_twice():
    """Without a hidden layer and metric one the excess loss decays exactly like exp(-2 t)."""
    s = tw.sweep(tw.Problem.from_target([3.0, 1.0], dims=(2, 2)), n=5, scale=0.5)
    rates = s.table["rate"].to_numpy()
    assert np.all((rates > 0.0) & (rates <= 1.0))
