import dataclasses
import re

import numpy as np
import pytest

import thalweg as tw
from thalweg.integrate import Status
from thalweg.report import two_sentences
from thalweg.trajectory._decide import Ending


@pytest.mark.parametrize("fixture", ["learned", "at_rest", "cut_short", "narrow", "one_hot"])
def test_the_answer_is_two_sentences(fixture, request):
    text = two_sentences(request.getfixturevalue(fixture))
    assert len(re.findall(r"\.(?:\s|$)", text)) == 2
    assert "\n" not in text


def test_a_minimum_says_what_is_learned_and_from_when_it_is_proved(learned):
    text = two_sentences(learned)
    assert text.startswith("The flow ends at a global minimum: both directions of the target are")
    assert "from 5 to 0, the least that any linear map attains" in text
    assert "that the limit is a global minimum is a theorem from" in text
    when = float(re.search(r"By flow time ([\d.]+), 99 %", text).group(1))
    loss = learned.problem.reducible_loss
    assert loss(learned.weights_at(0.97 * when)) > 0.05 > loss(learned.weights_at(1.03 * when))


def test_a_theorem_that_holds_later_names_its_time(one_hot):
    when = float(re.search(r"theorem from flow time ([\d.]+) on", two_sentences(one_hot)).group(1))
    sigma = one_hot.problem.singular_values
    missing_second = 0.5 * sigma[1] ** 2 / one_hot.problem.n_samples
    loss = one_hot.problem.reducible_loss(one_hot.weights_at(1.01 * when))
    assert 0.2 * missing_second < loss < missing_second


def test_a_bottleneck_is_named(narrow):
    text = two_sentences(narrow)
    assert "σ₁, σ₂ are learned, 2 of 3 directions" in text
    assert "(width 2)" in text
    assert "to 0.5, the least that any network of this shape" in text


def test_the_least_loss_is_that_of_least_squares(one_hot):
    stated = re.search(r"to ([\d.]+), the least that any linear map", two_sentences(one_hot))
    rng = np.random.default_rng(2)
    labels = np.arange(60) % 3
    x = rng.normal(size=(60, 4)) + 2.0 * np.eye(3, 4)[labels]
    x, y = x - x.mean(axis=0), np.eye(3)[labels] - 1 / 3
    rest = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert float(stated.group(1)) == pytest.approx(0.5 * np.sum(rest**2) / 60, rel=1e-5)


def test_a_saddle_is_not_called_a_minimum(at_rest):
    text = two_sentences(at_rest)
    assert "strict saddle, not at a minimum" in text
    assert "σ₁, σ₂ never will be" in text
    assert "stays at 5 where 0 is possible" in text


def test_an_undecided_run_claims_nothing(cut_short):
    text = two_sentences(cut_short)
    assert "before it was decided" in text
    assert "bounded and converge" in text
    assert "theorem" not in text


def test_a_low_rank_start_is_explained():
    p = tw.Problem.from_target([3.0, 2.0, 1.0], (6, 5, 3))
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(5, 1))
    start = [0.1 * hidden @ rng.normal(size=(1, 6)), 0.1 * rng.normal(size=(3, 1)) @ hidden.T]
    text = two_sentences(tw.flow(p, start))
    assert "σ₁ is learned, and σ₂, σ₃ never will be" in text
    assert "too low a rank" in text


def test_a_breakdown_is_said_first(learned):
    path = learned._path
    stop, text = Status.STEP_TOO_SMALL, "the step became too small."
    last = dataclasses.replace(path.pieces[-1], status=stop, message=text)
    path = dataclasses.replace(path, pieces=[*path.pieces[:-1], last])
    nowhere = Ending(parts=path.pieces, jump=None, tail_error=None, saddle=None)
    broken = dataclasses.replace(learned, _path=path, _ended=lambda: nowhere)
    assert broken.status == "failed"
    text = two_sentences(broken)
    assert text.startswith("The integration broke down")
    assert text.endswith("The reason: the step became too small.")
