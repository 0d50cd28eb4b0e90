"""The answer in two sentences: where it ends; how fast and how sure."""

import numpy as np

from thalweg._core import direction, learned_words, number
from thalweg.trajectory import Trajectory

KINDS = {
    "global_minimum": "a global minimum",
    "strict_saddle": "a strict saddle",
    "non_strict_saddle": "a non-strict saddle",
    "not_critical": "a point that is not critical",
    "undecided": "an undecided point",
}


def two_sentences(run: Trajectory) -> str:
    """Return the answer of a run in plain words.

    Parameters
    ----------
    run
        The run.

    Returns
    -------
    str
        Two sentences: where the flow ends, then how fast and how sure that is. Directions are
        counted from one, as in the paper (``learned`` in results counts from zero).
    """
    if run.status in {"diverged", "failed"}:
        return (
            f"The integration broke down at flow time {number(float(run.t[-1]))}, so it is not "
            f"known where this flow ends. The reason: {_clause(run.message)}."
        )
    kind = run.limit.verdict.kind
    if kind == "global_minimum":
        return f"{_minimum(run)} {_speed(run)}"
    if kind in {"strict_saddle", "non_strict_saddle"}:
        return f"{_saddle(run)} {_why_saddle(run)}"
    return f"{_open(run)} {_what_is_proved(run)}"


def _minimum(run: Trajectory) -> str:
    problem, verdict = run.problem, run.limit.verdict
    count, rank = problem.target_rank, len(verdict.learned)
    least = number(verdict.critical_value + problem.irreducible_loss, 6)
    if verdict.rule in {"basin certificate", "horizon"}:
        return (
            "The flow ends at a global minimum, though the run stopped too early to say at which "
            f"one (loss so far {number(float(run.loss[-1]), 6)})."
        )
    if count == 0:
        what = "there is nothing to learn in the target, and the network's map goes to zero"
    elif rank >= count:
        what = f"{_all(count)} of the target {'is' if count == 1 else 'are'} learned"
    else:
        what = (
            f"{_are_learned(verdict.learned)}, {rank} of {count} directions, as many as the "
            f"narrowest layer (width {problem.max_rank}) lets through"
        )
    first = number(float(run.loss[0]), 6)
    change = f"stays at {least}" if first == least else f"falls from {first} to {least}"
    best = "any linear map" if rank >= count else "any network of this shape"
    return (
        f"The flow ends at a global minimum: {what}, and the loss {change}, the least that {best} "
        "attains."
    )


def _all(count: int) -> str:
    return {1: "the only direction", 2: "both directions"}.get(count, f"all {count} directions")


def _are_learned(learned: tuple[int, ...]) -> str:
    verb = "is" if len(learned) <= 1 else "are"
    return f"{learned_words(learned).removesuffix(' learned')} {verb} learned"


def _speed(run: Trajectory) -> str:
    """Return how fast and how sure."""
    certificate = run.certificate
    gone = _time_of_share(run, 0.99)
    fast = "The start is already there" if gone is None else f"{gone}"
    if certificate.converges_to_global:
        when = (
            "from the start on"
            if run.start_certificate.converges_to_global
            else f"from flow time {number(certificate.time)} on"
        )
        sure = f"that the limit is a global minimum is a theorem {when}"
        if certificate.rate > 0.0:
            sure += (
                ", with a proved decay of the reducible loss of at least "
                f"exp(−2·{number(certificate.rate)}·t)"
            )
    elif run.limit.certified:
        sure = "that the limit is a global minimum is a theorem at the last point of the run"
    else:
        sure = (
            f"that the limit is a global minimum is computed, not proved ({run.limit.decided_by})"
        )
    return f"{fast}, and {sure}."


def _time_of_share(run: Trajectory, share: float) -> str | None:
    """Return when so much of the loss that goes at all has gone, or ``None`` if none goes."""
    verdict = run.limit.verdict
    least = verdict.critical_value if run.status == "limit" else float(run.reducible_loss[-1])
    excess = run.reducible_loss - least
    if excess[0] <= 1e-12 * max(float(run.reducible_loss[0]), 1e-300):
        return None
    below = np.flatnonzero(excess <= (1.0 - share) * excess[0])
    if not below.size:
        end = number(float(run.t[-1]))
        return f"The flow was followed to time {end} and the rest of the way closed by Gauss-Newton"
    when = number(float(run.t[below[0]]))
    return f"By flow time {when}, {100 * share:.0f} % of the avoidable loss has gone"


def _saddle(run: Trajectory) -> str:
    problem, verdict = run.problem, run.limit.verdict
    possible = range(min(problem.target_rank, problem.max_rank))
    left = [direction(i) for i in possible if i not in verdict.learned]
    lost = (
        f", and {', '.join(left[:6])}{' …' if len(left) > 6 else ''} never will be" if left else ""
    )
    stays = number(verdict.loss + problem.irreducible_loss, 6)
    best = number(problem.critical_value(possible) + problem.irreducible_loss, 6)
    return (
        f"The flow ends at {KINDS[verdict.kind]}, not at a minimum: "
        f"{_are_learned(verdict.learned)}{lost}, so the loss stays at {stays} where {best} is "
        "possible."
    )


def _why_saddle(run: Trajectory) -> str:
    """Return how sure the saddle is; that almost every start avoids it holds for strict ones."""
    strict = run.limit.verdict.kind == "strict_saddle"
    if run.limit.decided_by == "exact critical start":
        text = "The start is a critical point to rounding, so nothing moves"
        return text + ("; almost any other start, however near, would leave it." if strict else ".")
    if run.limit.decided_by.startswith("global minimum of the set"):
        return (
            "The layers of this start have too low a rank, which the flow keeps, and within what "
            "they can represent it is the best fit."
        )
    text = (
        "This start lies on the set from which the saddle attracts, to within rounding: that is "
        "computed, not proved"
    )
    return text + (", and almost any other start would leave it." if strict else ".")


def _open(run: Trajectory) -> str:
    return (
        f"The run stopped at flow time {number(float(run.t[-1]))} with loss "
        f"{number(float(run.loss[-1]), 6)}, before it was decided where the flow ends."
    )


def _what_is_proved(run: Trajectory) -> str:
    certificate = run.certificate
    if certificate.converges_to_global:
        return (
            "It is proved all the same that the limit is a global minimum; a longer run will say "
            "which one."
        )
    if certificate.guaranteed:
        return (
            f"It is proved that in the limit {_are_learned(certificate.guaranteed)}; a longer run "
            "will decide the rest."
        )
    return (
        "So far it is proved only that the weights stay bounded and converge to a critical point; "
        "a longer run will decide which."
    )


def _clause(message: str) -> str:
    return message.strip().rstrip(".")
