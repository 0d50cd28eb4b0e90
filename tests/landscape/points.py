"""Networks and requests for critical points, drawn at random."""

import numpy as np

import thalweg as tw


def networks(count, seed):
    """Random problems with distinct singular values: identity, data metric, whitened data."""
    rng = np.random.default_rng(seed)
    while count:
        depth, d_y = int(rng.integers(2, 7)), int(rng.integers(1, 5))
        hidden = [int(n) for n in rng.integers(1, 6, size=depth - 1)]
        dims = (d_y + int(rng.integers(0, 3)), *hidden, d_y)
        sigma = np.sort(rng.uniform(0.5, 4.0, d_y))[::-1]
        if d_y > 1 and np.min(-np.diff(sigma)) < 0.05:
            continue
        count -= 1
        T = np.linalg.qr(rng.normal(size=(d_y, d_y)))[0] * sigma
        T = T @ np.linalg.qr(rng.normal(size=(dims[0], dims[0])))[0][:d_y]
        D = rng.uniform(0.5, 2.0, dims[0])
        draw = rng.random()
        if draw < 0.75:
            yield tw.Problem.from_target(T, dims=dims, D=D if draw < 0.5 else None), rng
        else:
            samples = np.diag(D) @ np.linalg.qr(rng.normal(size=(9, 9)))[0][: dims[0]]
            white = tw.Problem.from_data(samples.T, samples.T @ T.T, hidden, metric="whitened")
            gaps = -np.diff(white.singular_values) / white.singular_values[0]
            if gaps.size == 0 or gaps.min() > 0.02:
                yield white, rng
            else:
                count += 1


def random_request(p, rng):
    rank = int(rng.integers(0, min(p.dims) + 1))
    chosen = rng.choice(p.target_rank, size=rank, replace=False)
    learned = tuple(range(rank)) if rng.random() < 0.5 else tuple(sorted(int(i) for i in chosen))
    level = next(item for item in tw.atlas(p) if item.learned == learned)
    return learned, str(rng.choice(level.kinds))
