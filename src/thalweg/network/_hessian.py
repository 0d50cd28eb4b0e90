"""Second derivatives: product with a vector, quadratic form, dense matrix (Spec 4.1)."""

import numpy as np

from thalweg._core import Array, Weights
from thalweg.network._products import prefix_products, suffix_products


def hessian_product(
    weights: Weights, direction: Weights, target: Array, metric: Array
) -> list[Array]:
    """Return ``(Hessian of the loss) . direction`` in ``O(L)`` matrix products.

    This is the derivative of `gradient` along `direction`, written out by the product rule.
    """
    depth = len(weights)
    after = suffix_products(weights)
    moved: list[Array | None] = [None] * (depth + 1)
    moved[depth - 1] = direction[-1]
    for j in range(depth - 2, -1, -1):
        one, two = moved[j + 1], after[j + 1]
        assert one is not None and two is not None  # noqa: PT018, S101
        moved[j] = one @ weights[j] + two @ direction[j]
    total, change = after[0], moved[0]
    assert total is not None and change is not None  # noqa: PT018, S101
    signal = (total * metric - target) * metric
    signal_change = change * metric**2
    out = []
    for j in range(1, depth + 1):
        back, back_change = after[j], moved[j]
        if back is None or back_change is None:
            out.append(signal_change.copy())
            break
        out.append(back_change.T @ signal + back.T @ signal_change)
        signal_change = signal_change @ weights[j - 1].T + signal @ direction[j - 1].T
        signal = signal @ weights[j - 1].T
    return out


def dense_hessian(weights: Weights, target: Array, metric: Array) -> Array:
    """Return the Hessian as a symmetric ``(n, n)`` matrix, weights packed row by row, W_1 first.

    The squared first variation gives Kronecker products, the second variation the cross blocks
    ``-Q[b, c] Z[e, a]`` for entries ``(a, b)`` of the later and ``(c, e)`` of the earlier layer.
    """
    depth = len(weights)
    after, before = suffix_products(weights), prefix_products(weights)
    d_out = target.shape[0]
    back = [np.eye(d_out) if item is None else item for item in after]
    front = [np.eye(weights[0].shape[1]) if item is None else item for item in before]
    error = target - front[depth] * metric
    sizes = [weight.size for weight in weights]
    start = np.concatenate([[0], np.cumsum(sizes)])
    full = np.empty((start[-1], start[-1]))
    for i in range(depth):
        for j in range(i + 1):
            seen = (front[i] * metric) @ (front[j] * metric).T
            block = np.einsum("ac,be->abce", back[i + 1].T @ back[j + 1], seen)
            if j < i:
                middle = np.eye(weights[j].shape[0])
                for weight in weights[j + 1 : i]:
                    middle = weight @ middle
                pull = (front[j] * metric) @ error.T @ back[i + 1]
                block = block - np.einsum("bc,ea->abce", middle, pull)
            matrix = block.reshape(sizes[i], sizes[j])
            full[start[i] : start[i + 1], start[j] : start[j + 1]] = matrix
            full[start[j] : start[j + 1], start[i] : start[i + 1]] = matrix.T
    return full


def hessian_size(weights: Weights, target: Array, metric: Array) -> float:
    """Return how large the terms are that the Hessian is a sum of, from norms of layers alone.

    Times ``n eps`` this is what rounding may leave where the terms cancel or vanish; the norm of
    the computed matrix does not tell, as it may be made of rounding only.
    """
    norms = np.array([float(np.linalg.norm(weight, 2)) for weight in weights])
    others = [float(np.prod(np.delete(norms, j))) for j in range(len(norms))]
    pairs = [float(np.prod(np.delete(norms, [i, j]))) for i in range(len(norms)) for j in range(i)]
    top = float(np.max(metric, initial=0.0))
    error = float(np.linalg.norm(target, 2)) + top * float(np.prod(norms))
    return (top * max(others)) ** 2 + top * error * max(pairs, default=0.0)


def pack(weights: Weights) -> Array:
    """Concatenate the weights row by row, ``W_1`` first."""
    return np.concatenate([weight.ravel() for weight in weights])


def unpack(vector: Array, dims: tuple[int, ...]) -> list[Array]:
    """Undo `pack` for layer sizes ``(d_0, ..., d_L)``; returns views of `vector`.

    Of packed weights ``(..., n)`` they are stacks ``(..., d_j, d_{j-1})``.
    """
    out, begin = [], 0
    for j in range(len(dims) - 1):
        end = begin + dims[j] * dims[j + 1]
        out.append(vector[..., begin:end].reshape(*vector.shape[:-1], dims[j + 1], dims[j]))
        begin = end
    return out
