"""The atlas against enumeration, and how lazy it is."""

import itertools

import numpy as np
import pytest

import thalweg as tw


@pytest.mark.parametrize("dims", [(6, 5, 5), (6, 2, 5), (6, 4, 3, 5)])
def test_all_levels_in_order(dims):
    sigma = np.array([4.0, 3.1, 2.2, 1.3, 0.4])
    p = tw.Problem.from_target(sigma, dims=dims)
    expected = sorted(
        (0.5 * (np.sum(sigma**2) - sum(sigma[i] ** 2 for i in s)), s)
        for size in range(min(dims) + 1)
        for s in itertools.combinations(range(5), size)
    )
    found = tw.atlas(p)
    assert [item.loss for item in found] == pytest.approx([value for value, _ in expected])
    assert sorted(item.learned for item in found) == sorted(s for _, s in expected)
    assert found.n_levels == len(expected)
    assert next(item.kinds for item in found) == ("global_minimum",)


def test_inclusion_order():
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 2, 3))
    above = {item.learned: item.contained_in for item in tw.atlas(p)}
    assert above[()] == ((0,), (1,), (2,))
    assert above[(1,)] == ((0, 1), (1, 2))
    assert above[(0, 2)] == ()


def test_kinds_by_depth():
    shallow = tw.Problem.from_target([3.0, 1.0], dims=(2, 2, 2))
    deep = tw.Problem.from_target([3.0, 1.0], dims=(2, 2, 2, 2))
    kinds = {item.learned: item.kinds for item in tw.atlas(shallow)}
    assert kinds[()] == ("strict_saddle",)
    kinds = {item.learned: item.kinds for item in tw.atlas(deep)}
    assert kinds[()] == ("strict_saddle", "non_strict_saddle")
    assert kinds[(1,)] == ("strict_saddle",)
    assert len(list(tw.atlas(tw.Problem.from_target([3.0, 1.0], dims=(2, 2))))) == 1


def test_the_lowest_of_two_to_the_forty_are_found_at_once():
    p = tw.Problem.from_target(np.linspace(9.0, 1.0, 40), dims=(40, 40, 40))
    found = tw.atlas(p)
    assert found.n_levels == 2**40
    lowest = found.lowest(10)
    assert [item.loss for item in lowest] == sorted(item.loss for item in lowest)
    assert lowest[1].learned == tuple(range(39))
    assert lowest[1].loss == pytest.approx(0.5)
    assert len(found.to_dict()["levels"]) == 64
