"""Every output on the page on the landscape is what its command prints."""

import pytest

PAGE = "docs/landscape.md"


def test_page_shows_what_it_prints(check_page):
    check_page(PAGE)


def test_every_command_has_its_output(page):
    blocks = page(PAGE)
    assert all(block.output for block in blocks if block.language == "bash")
    shown = [block.output for block in blocks if block.output is not None]
    assert len(shown) >= 20
    assert not any("...\n" in output for output in shown)


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        ("loss 2.5, inertia (2, 34, 12)", True),
        ("loss 2.500001, inertia (2, 34, 12)", True),
        ("loss 2.4999999, inertia (2, 34, 12)", True),
        ("loss 2.4, inertia (2, 34, 12)", False),
        ("loss 2.501, inertia (2, 34, 12)", False),
        ("loss -2.5, inertia (2, 34, 12)", False),
        ("loss 2.5, inertia (2, 35, 12)", False),
        ("loss 2.5, inertia (2, 34, 12)\nmore", False),
        ("value 2.5, inertia (2, 34, 12)", False),
    ],
)
def test_a_wrong_number_or_word_is_seen(same, printed, wanted):
    assert same("loss 2.5, inertia (2, 34, 12)", printed) is wanted
    assert same(printed, "loss 2.5, inertia (2, 34, 12)") is wanted


def test_four_digits_may_differ_in_the_last(same):
    assert same("loss 4740.735", "loss 4740.736")
    assert same("least -9.327", "least -9.328")
    assert not same("least -9.327", "least -9.33")
    assert not same("loss 4740.735", "loss 4740.745")
    assert not same("loss 0.35", "loss 0.36")


def test_dots_stand_for_lines(same):
    assert same("one\n...\nfour 4\n", "one\ntwo\nthree\nfour 4\n")
    assert same("one\n...\n", "one\ntwo\n")
    assert not same("one\n...\nfour 4\n", "one\ntwo\nfour 5\n")
    assert not same("one\n...\nfour\n", "one\nfour\nfive\n")
    assert not same("one\ntwo\n", "one\n")


def test_digits_of_rounding_errors_do_not_count(same):
    assert same("gradient 2.1e-16", "gradient 3.57e-15")
    assert same("eigenvalue 2.1e-16", "eigenvalue -3.57e-15")
    assert not same("gradient 2.1e-16", "gradient 3.57e-5")
