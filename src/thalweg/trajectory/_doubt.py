"""Whether rounding has decided how a run left a saddle, and with it where it ended."""

from collections.abc import Callable

import numpy as np

from thalweg._core import EPS, Array
from thalweg.integrate import Status, solve
from thalweg.landscape import polish_reduced
from thalweg.network import end_to_end, unpack
from thalweg.problem import Compression
from thalweg.trajectory._decide import Ending, Runner
from thalweg.trajectory._exact import has_vanishing_chain, outlook

AMPLIFIED = 24.0
"""Logarithm of the growth of perturbations below which rounding cannot have reached `SAME`."""
NUDGE = 1024 * EPS
"""Relative change of every weight of the start in the second run; zeros stay zeros."""
SAME = 0.3
"""Relative change that such a nudge may make in the weights, and in how far the loss has fallen
below the last saddle, once that is left behind."""
SAMPLES = 200
"""Points at which the growth is bounded closely."""


def doubted(runner: Runner, ending: Ending) -> Ending:
    """Take back that a run ends at a global minimum if rounding made it leave a saddle.

    A start on the stable set of a saddle ends there, but its computed trajectory is pushed off by
    rounding and goes on to a minimum. There the point of arrival depends on the rounding. Where
    perturbations may have grown so much, the start is followed once more with its weights changed
    in the last digits.

    Parameters
    ----------
    runner
        After the run.
    ending
        What it ended with.

    Returns
    -------
    Ending
        The same; or the saddle, if zeros of the start prove that it ends there; or one with
        ``lost`` telling why the limit is not known.
    """
    if ending.saddle is not None or not runner.levels.in_basin(runner.loss):
        return ending
    begin = runner.start
    if has_vanishing_chain(begin):
        ahead = outlook(begin, runner.point)
        if ahead.decided:
            saddle = polish_reduced(ahead.weights, begin.target, begin.metric)
            return Ending(parts=runner.parts, jump=None, tail_error=None, saddle=saddle)
    elif not _rounding_decides(runner):
        return ending
    text = (
        "the trajectory came so near to a saddle, or stayed so long, that rounding decided how it "
        "was left: starts beside this one end at a global minimum, where it ends itself cannot be "
        "seen in this arithmetic"
    )
    how = "rounding decided how a saddle was left"
    return Ending(parts=runner.parts, jump=None, tail_error=None, saddle=None, lost=text, how=how)


def _rounding_decides(runner: Runner) -> bool:
    """Say whether a start changed in its last digits leaves the last saddle otherwise."""
    begin = runner.start
    if not all(isinstance(part.y, np.ndarray) for part in runner.parts):
        return False
    t, y, loss = _until_apart(runner)
    if growth(t, y, loss, begin) < AMPLIFIED:
        return False
    signs = np.random.default_rng(0)
    moved = [w * (1.0 + NUDGE * signs.choice([-1.0, 1.0], size=w.shape)) for w in begin.weights]
    again = solve(
        begin.target,
        begin.metric,
        moved,
        t_end=float(t[-1]),
        rtol=runner.rtol,
        max_steps=2 * runner.max_steps,
        progress=runner.progress,
        **runner.options,
    )
    if again.status is not Status.T_END:
        return True
    apart = float(np.linalg.norm(again.y[-1] - y[-1]))
    fallen = runner.levels.basin - float(loss[-1])
    return (
        apart > SAME * float(np.linalg.norm(y[-1]))
        or abs(float(again.loss[-1]) - float(loss[-1])) > SAME * fallen
    )


def _until_apart(runner: Runner) -> tuple[Array, Array, Array]:
    """Return times, weights and losses until the last saddle is left behind.

    That is where half of what the basin lies above the least loss is gained. Where the basin
    begins, a run may still be at the saddle whose loss that is.
    """
    parts, known = runner.parts, runner.levels
    loss = np.concatenate([part.loss for part in parts])
    goal = known.least + 0.5 * (known.basin - known.least)
    below = np.flatnonzero(loss <= goal)
    end = 1 + int(below[0]) if below.size else len(loss)
    t = np.concatenate([part.t for part in parts])
    y = np.concatenate([np.asarray(part.y) for part in parts])
    return t[:end], y[:end], loss[:end]


def growth(t: Array, y: Array, loss: Array, begin: Compression) -> float:
    """Bound the logarithm of the factor by which a run may have enlarged perturbations.

    Integral of ``(L-1) ||M D|| max prod ||W_i||``, the product over all layers but two, which
    bounds the negative curvature of the loss: coarsely at first, from the loss and Frobenius
    norms; closely, from norms near the spectral ones, where that does not do.

    Parameters
    ----------
    t, y, loss
        Times ``(K,)``, packed weights ``(K, n)`` and losses ``(K,)`` of the run.
    begin
        Its start and problem.
    """
    depth = len(begin.weights)
    metric = begin.metric
    coarse = np.sqrt(2.0 * loss) * float(metric.max(initial=0.0))
    if depth > 2:
        coarse *= _others(unpack(y, begin.dims), _frobenius)
    total = _integral(t, coarse) * (depth - 1)
    if total < AMPLIFIED:
        return total
    few = np.unique(np.linspace(0, len(t) - 1, SAMPLES).astype(np.int64))
    layers = unpack(y[few], begin.dims)
    errors = (begin.target - end_to_end(layers) * metric) * metric
    rates = _schatten(errors) * _others(layers, _schatten)
    return _integral(t[few], rates) * (depth - 1)


def _others(layers: list[Array], norm: Callable[[Array], Array]) -> Array:
    """Return the largest product of the norms of all layers but two, at every point."""
    norms = np.array([norm(layer) for layer in layers])
    product: Array = np.prod(np.sort(norms, axis=0)[2:], axis=0)
    return product


def _frobenius(stack: Array) -> Array:
    out: Array = np.sqrt(np.einsum("kij,kij->k", stack, stack))
    return out


def _schatten(stack: Array) -> Array:
    """Return the norm of order eight of the singular values, which bounds the largest closely."""
    turned = stack.swapaxes(-2, -1)
    gram = stack @ turned if stack.shape[-2] <= stack.shape[-1] else turned @ stack
    return np.sqrt(np.sqrt(_frobenius(gram @ gram)))


def _integral(t: Array, rates: Array) -> float:
    return float(np.sum(np.diff(t) * np.maximum(rates[1:], rates[:-1])))
