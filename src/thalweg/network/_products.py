"""Products of weight matrices."""

from thalweg._core import Array, Weights


def end_to_end(weights: Weights) -> Array:
    """Return ``W_L ... W_1``, multiplied from the narrow output side."""
    product = weights[-1]
    for weight in reversed(weights[:-1]):
        product = product @ weight
    return product


def suffix_products(weights: Weights) -> list[Array | None]:
    """Return ``R_j = W_L ... W_{j+1}`` for ``j = 0..L``; ``R_L`` is the identity, as ``None``."""
    products: list[Array | None] = [None] * (len(weights) + 1)
    products[len(weights) - 1] = weights[-1]
    for j in range(len(weights) - 2, -1, -1):
        after = products[j + 1]
        assert after is not None  # noqa: S101
        products[j] = after @ weights[j]
    return products


def prefix_products(weights: Weights) -> list[Array | None]:
    """Return ``A_j = W_j ... W_1`` for ``j = 0..L``; ``A_0`` is the identity, as ``None``."""
    products: list[Array | None] = [None, weights[0]]
    for weight in weights[1:]:
        before = products[-1]
        assert before is not None  # noqa: S101
        products.append(weight @ before)
    return products
