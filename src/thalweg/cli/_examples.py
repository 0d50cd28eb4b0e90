"""`thalweg examples`: worked examples from the article."""

import pathlib

import click

from thalweg._core import DataError
from thalweg.cli._files import write_picture
from thalweg.cli._options import (
    general_options,
    out_option,
)
from thalweg.cli._output import tell, tell_json, tell_rows
from thalweg.counterexamples import bounded_eq1, bounds_eq1, unbounded
from thalweg.data import inert

EXAMPLES = {
    "eq1": "the article's Eq. (1), said to be unbounded, is bounded; a function that is not"
}
START = (0.7, 0.7)
"""Start ``(x_0, y_0)`` of all runs, inside the square of which the article speaks."""
HEIGHTS = (10.0, 30.0, 100.0)
LATE = 1e8
WIDTH = 96


@click.command("examples")
@click.argument("name", required=False)
@out_option("Folder for the picture, as NAME.png and NAME.svg.")
@general_options
def command(*, name: str | None, out: pathlib.Path | None, as_json: bool, quiet: bool) -> int:
    """Run the worked example NAME, or list the examples.

    The argument is printed with the numbers of a run; --out draws it.
    """
    if name is not None:
        _EXAMPLES[_known(name)](out, as_json=as_json, quiet=quiet)
    else:
        _list(out, as_json=as_json)
    return 0


def _known(name: str) -> str:
    if name not in EXAMPLES:
        raise DataError(f"unknown example {inert(name)!r}; choose one of {', '.join(EXAMPLES)}")
    return name


def _list(out: pathlib.Path | None, *, as_json: bool) -> None:
    if out is not None:
        raise DataError(f"--out needs an example; choose one of {', '.join(EXAMPLES)}")
    if as_json:
        items = [{"name": key, "description": text} for key, text in EXAMPLES.items()]
        tell_json({"examples": items})
    else:
        tell_rows(EXAMPLES.items())


def _eq1(out: pathlib.Path | None, *, as_json: bool, quiet: bool) -> None:
    bounded = []
    for height in HEIGHTS:
        start = (*START, height)
        bounded.append((height, bounded_eq1.flow(start), bounds_eq1(start)))
    escape = unbounded.flow(START, LATE)
    files = [] if out is None else _pictures(out)
    if as_json:
        tell_json(
            {
                "bounded": {
                    "system": bounded_eq1.to_dict(),
                    "runs": [
                        {"z0": height, "bounds": bound.tolist()} | run.to_dict()
                        for height, run, bound in bounded
                    ],
                },
                "unbounded": {"system": unbounded.to_dict(), "runs": [escape.to_dict()]},
                "files": files,
            }
        )
        return
    tell(f"Eq. (1) of the article: {bounded_eq1.formula}")
    _paragraph("The article says that its trajectories from 0 < x0, y0 < 1 are unbounded. "
               "They are not: " + bounded_eq1.argument)  # fmt: skip
    tell("")
    for height, run, bound in bounded:
        x, y, z = run.final
        tell(
            f"  from ({START[0]}, {START[1]}, {height:g}): {run.status}, y = {y:.4f} "
            f"(proved: at most {bound[1]:.4f}; sqrt(y0^2 + z0^2) = "
            f"{(START[1] ** 2 + height**2) ** 0.5:.4f}), x = {x:.4f}, |z| < {_above(abs(z))}"
        )
    tell("")
    tell(f"A function with unbounded trajectories: {unbounded.formula}")
    _paragraph(unbounded.argument)
    tell("")
    y, end = float(escape.final[1]), float(escape.t[-1])
    tell(
        f"  from ({START[0]}, {START[1]}): {escape.status}, g = {escape.loss[0]:.4f} < 1/2 at the "
        f"start; at t = {end:g} y = {y:.3f}, (4t)^(1/4) = {(4 * end) ** 0.25:.3f}, "
        f"g = {escape.loss[-1]:.4g}"
    )
    if not quiet:
        for file in files:
            tell(f"  picture: {file}")


def _above(value: float) -> str:
    """Return a power of ten above a positive number."""
    power = 1e-12
    while power < value:
        power *= 10.0
    return f"{power:.0e}"


def _paragraph(text: str) -> None:
    line = " "
    for word in text.split():
        if len(line) + 1 + len(word) > WIDTH:
            tell(line)
            line = " "
        line += f" {word}"
    tell(line)


def _pictures(out: pathlib.Path) -> list[str]:
    """Draw both systems into a folder."""
    from thalweg.plot import draw_systems  # slow to import

    figure = draw_systems([bounded_eq1, unbounded])
    return [
        str(write_picture(figure, out / "eq1.png", dpi=150)),
        str(write_picture(figure, out / "eq1.svg")),
    ]


_EXAMPLES = {"eq1": _eq1}
