"""Every output on the page on the landscape is what its command prints."""

import pytest

PAGE = "docs/landscape.md"


def test_page_shows_what_it_prints(check_page):
    check_page(PAGE)


def test_every_command_has_its_output(page):
    blocks = page(PAGE)
    assert all(block.output for block in blocks if block.language == "bash")
    assert sum(block.output is not None for block in blocks) >= 20


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        ("loss 2.5, inertia (2, 34, 12)", True),
        ("loss 2.50001, inertia (2, 34, 12)", True),
        ("loss 2.9, inertia (2, 34, 12)", False),
        ("loss -2.5, inertia (2, 34, 12)", False),
        ("loss 2.5, inertia (2, 35, 12)", False),
        ("loss 2.5, inertia (2, 34, 12)\nmore", False),
        ("value 2.5, inertia (2, 34, 12)", False),
    ],
)
def test_a_wrong_number_or_word_is_seen(same, printed, wanted):
    assert same("loss 2.5000, inertia (2, 34, 12)", printed) is wanted


def test_digits_of_rounding_errors_do_not_count(same):
    assert same("gradient 2.1e-16", "gradient 3.57e-15")
    assert same("eigenvalue 2.1e-16", "eigenvalue -3.57e-15")
    assert not same("gradient 2.1e-16", "gradient 3.57e-5")
