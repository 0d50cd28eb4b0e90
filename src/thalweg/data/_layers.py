"""Which of a file's arrays are the layers, and in which order."""

import dataclasses
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from thalweg._core import Array, DataError, DimensionError, as_float_array
from thalweg.data._inert import inert
from thalweg.data._numpy_files import RawArray

NUMBERED = re.compile(r"W([1-9][0-9]{0,5})")
BIAS = re.compile(r"(?:.*[^a-z])?bias[0-9]*|b[0-9]*", re.IGNORECASE | re.DOTALL)
SEARCHED, DEEPEST = 10_000, 64
"""Steps and layers of the search for an order; beyond them the order counts as unknown."""
MEND = "name the weights W1, W2, ... in layer order"
Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Layers:
    """Weights in layer order with their names in the file, and what was decided on the way."""

    names: tuple[str, ...]
    weights: list[Array]
    notes: tuple[str, ...]


def is_layer_name(name: str) -> bool:
    """Tell whether a name is ``W1``, ``W2``, ..."""
    return NUMBERED.fullmatch(name) is not None


def is_bias_name(name: str) -> bool:
    """Tell whether a name like ``layers.0.bias`` or ``b1`` is that of a bias."""
    return BIAS.fullmatch(name.rsplit(".", 1)[-1]) is not None


def find_layers(
    arrays: Mapping[str, RawArray],
    file: str,
    dims: tuple[int, ...] | None = None,
    *,
    listed: bool = False,
) -> Layers:
    """Find the layers among named arrays.

    Parameters
    ----------
    arrays
        By name.
    file
        How error messages call the file.
    dims
        Sizes ``(d_0, ..., d_L)`` that the weights must have; ``None`` accepts any that chain.
    listed
        Whether the order of `arrays` says something, where their names do not.

    Returns
    -------
    Layers
        ``W1, W2, ...`` if there are such names. Otherwise all matrices by the numbers in their
        names, if names differ in their numbers alone; otherwise in the only order that chains.

    Raises
    ------
    DataError
        If there is a bias, another array that is no matrix, a number that is not finite, or no
        way to tell the order.
    DimensionError
        If the layers do not chain, or do not fit `dims`.
    """
    notes: list[str] = []
    matrices = _drop_zero_biases(arrays, file, notes)
    if not matrices:
        raise DataError(f"{file} holds no weights; {MEND}")
    _refuse_other_shapes(matrices, file)
    if any(map(is_layer_name, matrices)):
        names = _consecutive(list(matrices), file)
    else:
        shapes = {name: array.shape for name, array in matrices.items()}
        names = _in_order(shapes, file, dims, notes, listed=listed)
    _check_shapes({name: matrices[name].shape for name in names}, file, dims)
    weights = [_finite(matrices[name], f"{inert(name)} in {file}") for name in names]
    return Layers(tuple(names), weights, tuple(notes))


def _drop_zero_biases(
    arrays: Mapping[str, RawArray], file: str, notes: list[str]
) -> dict[str, RawArray]:
    """Return the arrays without biases of zeros, which change nothing."""
    out, zero = {}, []
    for name, array in arrays.items():
        if array.ndim > 1 or not is_bias_name(name):
            out[name] = array
        elif np.any(array):
            raise DataError(
                f"{inert(name)} in {file} is a bias; the theory is for networks without biases, "
                "train with bias=False (a constant feature in X gives an offset)"
            )
        else:
            zero.append(inert(name, 24))
    if zero:
        notes.append(f"dropped as zero: {_joined(zero)}")
    return out


def _refuse_other_shapes(arrays: Mapping[str, RawArray], file: str) -> None:
    odd = next((name for name, array in arrays.items() if array.ndim != 2), None)
    if odd is not None:
        raise DimensionError(
            f"{inert(odd)} in {file} has shape {arrays[odd].shape}; the theory is for linear "
            "networks without biases, which consist of matrices alone"
        )


def _consecutive(given: list[str], file: str) -> list[str]:
    """Return ``W1, ..., WL`` if that is what there is, and nothing else."""
    names = [f"W{j}" for j in range(1, len(given) + 1)]
    if set(names) != set(given):
        held = _joined([inert(name, 24) for name in sorted(given, key=natural_key)])
        raise DataError(f"{file} holds {held}; {MEND}, without gaps and with nothing else")
    return names


def natural_key(name: str) -> tuple[tuple[int, str], ...]:
    """Return a key that sorts ``layers.2`` before ``layers.10``, however long the numbers."""
    parts = re.split(r"([0-9]+)", name)
    return tuple(
        (len(part.lstrip("0")), part.lstrip("0")) if place % 2 else (0, part)
        for place, part in enumerate(parts)
    )


def _in_order(
    shapes: Mapping[str, Shape],
    file: str,
    dims: tuple[int, ...] | None,
    notes: list[str],
    *,
    listed: bool,
) -> list[str]:
    """Order names by their numbers, or by the shapes where the numbers do not tell."""
    names = sorted(shapes, key=natural_key)
    same = next((a for a, b in itertools.pairwise(names) if natural_key(a) == natural_key(b)), None)
    if same is not None:
        raise DataError(f"{file} holds the number in {inert(same)!r} twice; {MEND}")
    families = defaultdict(list)
    for name in names:
        families[re.sub(r"[0-9]+", "#", name)].append(name)
    if len(families) == 1:
        return names
    given = list(shapes)
    found = list(itertools.islice(_orders(shapes, list(families.values()), dims), 2))
    if len(found) == 1 and found[0] is not None:
        names, why = found[0], "the only one in which the shapes chain"
    elif listed and _chains([shapes[name] for name in given], dims):
        names, why = given, "as they are listed in the file"
    elif not found:
        raise DimensionError(
            f"{_listing(shapes, file)}; these do not chain in any order"
            f"{_needed(dims)}; each must be (outputs, inputs)"
        )
    else:
        raise DataError(f"{_listing(shapes, file)}; several orders are possible, {MEND}")
    notes.append(f"order {_joined([inert(name, 24) for name in names])}: {why}")
    return names


def _orders(
    shapes: Mapping[str, Shape], families: Sequence[list[str]], dims: tuple[int, ...] | None
) -> Iterator[list[str] | None]:
    """Yield orders that chain and keep every family in order; ``None`` where it takes too long."""
    steps = itertools.count()
    if dims is not None and len(dims) != len(shapes) + 1:
        return

    def extend(chosen: list[str]) -> Iterator[list[str] | None]:
        place = len(chosen)
        if next(steps) > SEARCHED or len(shapes) > DEEPEST:
            yield None
        elif place == len(shapes):
            yield chosen
        else:
            for family in families:
                following = next((name for name in family if name not in chosen), None)
                if following is None:
                    continue
                recent = [shapes[name] for name in (*chosen[-1:], following)]
                fits = dims is None or recent[-1] == (dims[place + 1], dims[place])
                if fits and _chains(recent):
                    yield from extend([*chosen, following])

    yield from extend([])


def _chains(shapes: Sequence[Shape], dims: tuple[int, ...] | None = None) -> bool:
    if any(len(shape) != 2 for shape in shapes):
        return False
    if dims is not None:
        return list(shapes) == [(b, a) for a, b in itertools.pairwise(dims)]
    return all(after[1] == before[0] for before, after in itertools.pairwise(shapes))


def _check_shapes(shapes: Mapping[str, Shape], file: str, dims: tuple[int, ...] | None) -> None:
    found = list(shapes.values())
    if 0 in itertools.chain(*found):
        raise DimensionError(f"{_listing(shapes, file)}; every layer needs at least one row")
    if _chains(found, dims):
        return
    own = (found[0][1], *(shape[0] for shape in found))
    hidden = _joined([str(width) for width in own[1:-1]], ",")
    if _chains([shape[::-1] for shape in found], dims):
        mend = "they fit transposed: store each as (outputs, inputs)"
    elif not _chains(found):
        mend = "each must have as many columns as the one before has rows, in layer order"
    elif dims is not None and (own[0], own[-1]) == (dims[0], dims[-1]):
        mend = f"set the hidden widths to {hidden or 'none'}"
    else:
        mend = "use weights trained on these data"
    raise DimensionError(f"{_listing(shapes, file)}{_needed(dims)}; {mend}")


def _finite(array: RawArray, where: str) -> Array:
    finite = np.isfinite(array)
    if not finite.all():
        place = [int(index) for index in np.unravel_index(np.argmin(finite), array.shape)]
        value = array[tuple(place)]
        raise DataError(
            f"{where} is {value} at {place}; finite weights are needed, did it diverge?"
        )
    return as_float_array(array, where)


def _needed(dims: tuple[int, ...] | None) -> str:
    if dims is None:
        return ""
    return f"; layers {_joined([str(size) for size in dims], '-')} are needed"


def _listing(shapes: Mapping[str, Shape], file: str) -> str:
    parts = [f"{inert(name, 32)} {'x'.join(map(str, shape))}" for name, shape in shapes.items()]
    return f"{file} holds {_joined(parts)}"


def _joined(parts: Sequence[str], mark: str = ", ") -> str:
    """Join a few parts; of many, count the rest."""
    if len(parts) <= 8:
        return mark.join(parts)
    return f"{mark.join(parts[:7])}{mark}... ({len(parts)} in all)"
