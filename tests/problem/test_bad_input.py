"""Every way of handing over nonsense ends in one clear line, or in a correct result."""

import datetime

import numpy as np
import pytest

import thalweg as tw

GOOD = np.random.default_rng(0).normal(size=(6, 3))
Y = GOOD[:, :2]


def spoiled(value):
    out = GOOD.copy()
    out[1, 2] = value
    return out


BAD_TABLES = {
    "NaN": spoiled(np.nan),
    "inf": spoiled(np.inf),
    "no rows": np.empty((0, 3)),
    "no columns": np.empty((6, 0)),
    "other number of rows": GOOD[:4],
    "3-D": GOOD[None],
    "complex": GOOD + 1j,
    "objects": GOOD.astype(object),
    "text": np.full((6, 3), "a"),
    "masked": np.ma.masked_array(GOOD, mask=GOOD > 1),
    "dates": np.full((6, 3), np.datetime64("2020-01-01")),
    "durations": np.full((6, 3), np.timedelta64(1, "s")),
    "huge": GOOD * 1e200,
    "tiny": GOOD * 1e-200,
    "zero": np.zeros((6, 3)),
    "beyond 2**53": np.full((6, 3), 2**53 + 1, dtype=np.int64),
    "None": None,
    "ragged": [[1.0, 2.0], [1.0]],
    "a set": {1, 2},
    "a date": datetime.date(2020, 1, 1),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_unusable_features_are_refused_in_one_line(name):
    with pytest.raises(tw.ThalwegError) as caught:
        tw.Problem.from_data(BAD_TABLES[name], Y, widths=(4,))
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) > 20
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", sorted(set(BAD_TABLES) - {"zero"}))
def test_unusable_targets_are_refused_in_one_line(name):
    with pytest.raises(tw.ThalwegError) as caught:
        tw.Problem.from_data(GOOD, BAD_TABLES[name], widths=(4,))
    assert "\n" not in str(caught.value)


def test_position_of_the_first_bad_number_is_named():
    with pytest.raises(tw.DataError, match=r"X\[1, 2\] is nan"):
        tw.Problem.from_data(BAD_TABLES["NaN"], Y)


HARMLESS = {
    "float32": GOOD.astype(np.float32),
    "int": np.arange(18).reshape(6, 3) % 7,
    "bool": GOOD > 0,
    "Fortran order": np.asfortranarray(GOOD),
    "not contiguous": np.repeat(GOOD, 2, axis=1)[:, ::2],
    "constant column": np.column_stack([GOOD[:, :2], np.full(6, 3.0)]),
    "list": GOOD.tolist(),
    "subnormal entry": spoiled(5e-324),
    "negative zero": spoiled(-0.0),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_oddities_give_the_right_answer(name):
    X = HARMLESS[name]
    plain = np.array(X, dtype=float)
    p = tw.Problem.from_data(X, Y, widths=(4,))
    w = tw.init.gaussian(p, rng=0)
    expected = 0.5 * np.sum((Y.T - w[1] @ w[0] @ plain.T) ** 2)
    assert p.loss(w) == pytest.approx(expected, rel=1e-12)


def test_callers_arrays_are_neither_needed_writable_nor_changed():
    X = GOOD.copy()
    X.flags.writeable = False
    before = X.copy()
    p = tw.Problem.from_data(X, Y, widths=(4,))
    w = tw.init.gaussian(p, rng=0)
    for item in w:
        item.flags.writeable = False
    run = tw.flow(p, w, t_end=0.1)
    assert np.array_equal(X, before)
    assert all(item.flags.writeable for item in run.final)


def test_zero_targets_are_a_problem_whose_limit_is_zero():
    p = tw.Problem.from_data(GOOD, np.zeros((6, 2)), widths=(4,))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.1, rng=0))
    assert run.limit.verdict.kind == "global_minimum"
    assert run.limit.verdict.learned == ()
    assert p.loss(run.final) < 1e-20


@pytest.mark.parametrize("widths", [(0,), (-1,), (2.5,), ("a",), (True,), "32", ((3,),), 0])
def test_widths_must_be_positive_integers(widths):
    with pytest.raises(tw.DimensionError, match="positive integers"):
        tw.Problem.from_data(GOOD, Y, widths=widths)


@pytest.mark.parametrize(
    "weights",
    [
        [np.zeros((4, 3))],
        [np.zeros((4, 3)), np.zeros((2, 5))],
        [np.zeros((4, 3)), np.full((2, 4), np.nan)],
        [np.zeros((4, 3), dtype=complex), np.zeros((2, 4))],
        [[["a"]], [["b"]]],
        None,
        3.0,
    ],
)
def test_weights_that_do_not_fit_are_refused(weights):
    p = tw.Problem.from_data(GOOD, Y, widths=(4,))
    for call in (p.loss, p.gradient, lambda w: tw.flow(p, w), lambda w: tw.certify(p, w)):
        with pytest.raises(tw.ThalwegError) as caught:
            call(weights)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", [{"metric": "white"}, {"loss": "mse"}, {"samples": "cols"}])
def test_unknown_choices_name_the_known_ones(change):
    with pytest.raises(tw.DataError, match="must be one of"):
        tw.Problem.from_data(GOOD, Y, **change)


@pytest.mark.parametrize("rtol", [0.0, -1.0, 2.0, float("nan"), "tight"])
def test_tolerances_out_of_range_are_refused(rtol):
    p = tw.Problem.from_data(GOOD, Y, widths=(4,))
    with pytest.raises(tw.DataError, match="rtol"):
        tw.flow(p, tw.init.gaussian(p), rtol=rtol)
