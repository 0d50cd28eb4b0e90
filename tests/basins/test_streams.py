"""Random numbers belong to indices: distinct, independent, the same in any piece."""

import numpy as np

from thalweg.basins.plan._streams import generator, normals


def test_any_piece_gives_the_same_numbers():
    whole = normals(7, 0, 200, 27)
    pieces = [normals(7, a, b, 27) for a, b in ((0, 1), (1, 64), (64, 65), (65, 200))]
    assert np.array_equal(whole, np.concatenate(pieces))


def test_far_indices_are_as_easy_as_near_ones():
    far = normals(7, 10**15, 10**15 + 3, 5)
    assert np.array_equal(far[1:2], normals(7, 10**15 + 1, 10**15 + 2, 5))
    assert np.abs(far).max() < 9


def test_numbers_are_reproducible_by_hand():
    """The documented recipe: words of Philox, their upper 53 bits, the inverse of Phi."""
    from scipy.special import ndtri

    words = np.random.Philox(7).random_raw(8 * 4 * 7).reshape(8, 28)[5, :27]
    by_hand = ndtri(((words >> np.uint64(11)).astype(float) + 0.5) / 2**53)
    assert np.array_equal(normals(7, 5, 6, 27)[0], by_hand)


def test_first_numbers_of_a_million_starts_differ():
    first = normals(0, 0, 1_000_000, 1)[:, 0]
    assert len(np.unique(first)) == 1_000_000


def test_numbers_are_normal_and_independent_between_neighbours():
    n = 200_000
    z = normals(11, 0, n, 3)
    assert abs(z.mean()) < 5 / np.sqrt(3 * n)
    assert abs((z**2).mean() - 1) < 5 * np.sqrt(2 / (3 * n))
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / (3 * n))
    flat = z[:, 0]
    for lag in (1, 2, 3, 7, 64, 1000):
        assert abs(np.mean(flat[lag:] * flat[:-lag])) < 5 / np.sqrt(n)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.mean(z[:, i] * z[:, j])) < 5 / np.sqrt(n)
        assert abs(np.mean(z[1:, i] * z[:-1, j])) < 5 / np.sqrt(n)


def test_seeds_give_other_numbers():
    a, b = normals(0, 0, 50_000, 1)[:, 0], normals(1, 0, 50_000, 1)[:, 0]
    assert abs(np.mean(a * b)) < 5 / np.sqrt(50_000)


def test_generators_of_neighbours_differ_and_repeat():
    first = [generator(3, i).random() for i in range(2000)]
    assert len(set(first)) == 2000
    assert generator(3, 17).random() == first[17]
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 5 / np.sqrt(2000)
