"""Rank patterns of critical points: enumeration, coverage, dimensions."""

import itertools

import numpy as np
import pytest

import thalweg as tw
from thalweg.landscape import _canonical, _construct, _strata, _strings
from thalweg.landscape._learned import Target

SMALL = [(2, 2, 2), (3, 2, 2, 2), (2, 2, 1, 2), (4, 2, 3, 2), (2, 2, 2, 2, 1)]


def brute_force(nodes, linked):
    """All multiplicities that fill the nodes, by trying every one."""
    size = len(nodes)
    arcs = list(itertools.product(range(size), range(1, size)))
    visits = [[(start + step) % size for step in range(length)] for start, length in arcs]
    most = [min(nodes[node] for node in visit) for visit in visits]
    out = set()
    for counts in itertools.product(*(range(m + 1) for m in most)):
        filled = [0] * size
        links = 0
        for count, visit in zip(counts, visits, strict=True):
            for node in visit:
                filled[node] += count
            links += count * ((size - 1, 0) in itertools.pairwise(visit))
        if filled == list(nodes) and links == linked:
            kept = [(arc, n) for arc, n in zip(arcs, counts, strict=True) if n]
            out.add(tuple(sorted(kept)))
    return out


@pytest.mark.parametrize("nodes", [(2, 1, 1), (1, 2, 1), (2, 1, 1, 1), (1, 1, 2, 1), (3, 1, 0, 1)])
def test_enumeration_equals_brute_force(nodes):
    linked = min(nodes[0], nodes[-1])
    found = list(_strata.enumerate_strings(nodes, linked))
    assert len(found) == len(set(found))
    assert set(found) == brute_force(nodes, linked)


def product_ranks(p, w, learned):
    """Ranks of all products around the cycle, by singular values of the weights themselves."""
    left, sigma, right = np.linalg.svd(p.flow_data()[0])
    moments = np.zeros((len(right), len(left)))
    for i, value in enumerate(sigma):
        moments += value * np.outer(right[i], left[:, i])
    maps = [moments, *w]  # Sigma_XY leads from outputs to inputs
    size = len(maps)
    table = []
    for steps, end in itertools.product(range(1, size - 1), range(size)):
        product = maps[end]
        for back in range(1, steps):
            product = product @ maps[(end - back) % size]
        values = np.linalg.svd(product, compute_uv=False)
        table.append(int(np.sum(values > 1e-9)) - len(learned))
    return tuple(table)


@pytest.mark.parametrize("dims", SMALL)
def test_generator_reaches_every_stratum(dims):
    p = tw.Problem.from_target([3.0, 1.0][: dims[-1]], dims=dims)
    rng = np.random.default_rng(1)
    for level in tw.atlas(p):
        for kind, number in zip(level.kinds, level.n_strata, strict=True):
            seen = set()
            for _ in range(60 * number):
                w = tw.critical_point(p, level.learned, kind, rng=rng)
                seen.add(product_ranks(p, w, level.learned))
                if len(seen) == number:
                    break
            assert len(seen) == number, (level.learned, kind)


@pytest.mark.parametrize("dims", [(3, 2, 2, 2), (4, 3, 2, 3), (3, 3, 2, 2, 2)])
def test_ranks_of_the_weights_give_back_the_strings(dims):
    p = tw.Problem.from_target([3.0, 2.0, 1.0][-dims[-1] :], dims=dims)
    plain, metric = p.flow_data()
    rng = np.random.default_rng(2)
    for rank in range(min(dims)):
        for strings in _strata.strata(dims, rank, dims[-1] - rank)[:60]:
            arcs = [arc for arc, count in strings for _ in range(count)]
            w = _canonical.canonical_point((Target.of(plain), metric, dims), range(rank), arcs, rng)
            table = iter(product_ranks(p, w, range(rank)))
            ranks = np.zeros((len(dims), len(dims)), int)
            ranks[0] = _strings.free_sizes(dims, rank)
            for steps, end in itertools.product(range(1, len(dims) - 1), range(len(dims))):
                ranks[steps, end] = next(table)
            assert _strings.strings_of_ranks(ranks) == strings


class Still:
    """A generator whose draws move smoothly: base draws plus ``t`` times other draws."""

    def __init__(self, base, other, t):
        self.base, self.other = np.random.default_rng(base), np.random.default_rng(other)
        self.t = t

    def normal(self, size):
        return self.base.normal(size=size) + self.t * self.other.normal(size=size)

    def uniform(self, low, high, size=None):
        return self.base.uniform(low, high, size) + self.t * self.other.uniform(-0.1, 0.1, size)


def test_dimensions_are_the_ranks_of_tangent_spaces():
    """Difference quotients of a smooth family of critical points span the tangent space."""
    for dims in [(2, 2, 2), (3, 2, 2, 2), (2, 1, 2, 2)]:
        p = tw.Problem.from_target([3.0, 1.0], dims=dims)
        plain, metric = p.flow_data()
        problem = (Target.of(plain), metric, dims)
        for rank in range(min(dims) + 1):
            for strings in _strata.strata(dims, rank, dims[-1] - rank):
                arcs = [arc for arc, count in strings for _ in range(count)]

                def point(other, t, rank=rank, arcs=arcs, problem=problem):
                    rng = Still(5, other, t)
                    w = _canonical.canonical_point(problem, range(rank), arcs, rng)
                    return np.concatenate([item.ravel() for item in w])

                h = 1e-6
                tangent = np.array(
                    [(point(k, h) - point(k, -h)) / (2 * h) for k in range(p.n_parameters + 8)]
                )
                values = np.linalg.svd(tangent, compute_uv=False)
                found = int(np.sum(values > 1e-6 * max(values[0], 1e-3)))
                assert found == _strata.stratum_dimension(dims, rank, strings), (dims, strings)


@pytest.mark.parametrize("dims", [(3, 4, 2), (4, 3, 3, 2), (3, 3, 4, 3, 3)])
def test_minima_have_the_dimension_of_the_hessian_kernel(dims):
    p = tw.Problem.from_target([3.0, 2.0, 1.0][: dims[-1]], dims=dims)
    level = tw.atlas(p).lowest(1)[0]
    expected = p.n_parameters - dims[0] * dims[-1]
    w = tw.critical_point(p, level.learned, "global_minimum", rng=3)
    zero = p.hessian(w).inertia(rtol=1e-10)[1]
    assert level.dimensions == (expected,)
    assert zero == expected


def test_weights_that_never_see_data_add_to_the_dimension():
    X = np.zeros((5, 4))
    X[:, :3] = np.random.default_rng(0).normal(size=(5, 3))
    p = tw.Problem.from_data(X, X[:, :2], widths=(3,))
    assert tw.atlas(p).lowest(1)[0].dimensions == (p.n_parameters - 3 * 2,)


def test_the_paper_s_set_v_0():
    # Case 1.2: W_2 = W_3 = W_{1,1} = 0, a set of dimension d_1 (d_x - d_y).
    p = tw.Problem.from_target([3.0, 1.0], dims=(5, 4, 3, 2))
    level = next(item for item in tw.atlas(p) if item.learned == ())
    deepest = [
        item
        for item in _strata.strata(p.dims, 0, 2)
        if not any(arc[1] > 2 or (arc[1] == 2 and arc[0] not in {0, 3}) for arc, _ in item)
    ]
    sizes = {_strata.stratum_dimension(p.dims, 0, item) for item in deepest}
    assert max(sizes) == 4 * (5 - 2)
    assert dict(zip(level.kinds, level.dimensions, strict=True))["non_strict_saddle"] == 4 * 3


def test_no_request_is_drawn_from_the_wrong_kind():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2, 2))
    rng = np.random.default_rng(0)
    for kind in ("strict_saddle", "non_strict_saddle"):
        for _ in range(300):
            arcs = _construct.random_arcs(p, 0, kind, rng)
            strict = _strings.is_strict(_strings.as_strings(arcs), p.depth)
            assert strict == (kind == "strict_saddle")


@pytest.mark.parametrize("learned", [(1.5,), ("a",), None, (True,), ((0,), (1, 2))])
def test_directions_are_whole_numbers(learned):
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2, 2))
    with pytest.raises(ValueError, match="learned must be singular directions counted from 0"):
        tw.critical_point(p, learned)


def test_one_number_is_one_direction():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2, 2))
    assert tw.classify(p, tw.critical_point(p, 1)).learned == (1,)
