"""Options that several commands share, and the file that can set them."""

import difflib
import functools
import math
import pathlib
import tomllib
from collections.abc import Callable
from typing import Any

import click

from thalweg._core import DataError
from thalweg.data import inert

Function = Callable[..., Any]


def _stack(options: list[Callable[[Function], Function]]) -> Callable[[Function], Function]:
    def apply(function: Function) -> Function:
        return functools.reduce(lambda inner, option: option(inner), reversed(options), function)

    return apply


def out_option(what: str) -> Callable[[Function], Function]:
    """Return the option that names the folder of what is kept."""
    return click.option("--out", metavar="DIR", type=click.Path(path_type=pathlib.Path), help=what)


def seed_option(what: str) -> Callable[[Function], Function]:
    """Return the option that names a seed."""
    return click.option(
        "--seed", type=click.IntRange(min=0), default=0, show_default=True, help=what
    )


data_options = _stack(
    [
        click.argument("data", required=False),
        click.option("--target", metavar="COL[,COL]", help="Target columns of a table."),
        click.option("--y", metavar="FILE.npy", help="Targets that go with an X in .npy."),
        click.option(
            "--standardize", is_flag=True, help="Centre all, scale features to variance 1."
        ),
        click.option("--center", is_flag=True, help="Subtract the means of features and targets."),
        click.option(
            "--sigma",
            metavar="S[,S...]",
            help="Instead of DATA: a target given by its singular values; needs --dims.",
        ),
        click.option(
            "--dims",
            metavar="N,N[,N...]",
            help="With --sigma: sizes of all layers, inputs first, outputs last.",
        ),
    ]
)
problem_options = _stack(
    [
        click.option(
            "--widths",
            metavar="N[,N...]",
            help="Hidden widths; default one layer of max(d_y, min(32, d_x)).",
        ),
        click.option(
            "--metric",
            type=click.Choice(["raw", "whitened"]),
            default="raw",
            show_default=True,
            help="Flow on the data as they are, or on whitened inputs.",
        ),
        click.option(
            "--loss",
            type=click.Choice(["sum", "mean"]),
            default="sum",
            show_default=True,
            help="Over samples.",
        ),
    ]
)
start_options = _stack(
    [
        click.option(
            "--init",
            metavar="KIND:SCALE",
            default="gaussian:0.1",
            show_default=True,
            help="gaussian, orthogonal, balanced, lambda_balanced or exponential (:RATE).",
        ),
        seed_option("Of the random start."),
    ]
)


def weights_option(*, required: bool = False) -> Callable[[Function], Function]:
    """Return the option that names a file of weights."""
    return click.option(
        "--weights",
        metavar="FILE",
        required=required,
        help="Weights in .npz (keys W1, W2, ...), .safetensors, or a PyTorch state dict (.pt, "
        ".pth)." + ("" if required else " Instead of --init."),
    )


run_options = _stack(
    [
        click.option("--rtol", type=float, default=1e-8, show_default=True, help="Tolerance."),
        click.option("--t-end", type=float, help="Stop at this flow time; default: when decided."),
        out_option("Folder."),
    ]
)


def _load_config(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Take options from a TOML file; what the command line says wins."""
    if value is None:
        return
    known = {item.name for item in ctx.command.params if item.name} - {"config"}
    settings = read_config(pathlib.Path(value), known)
    ctx.default_map = {**(ctx.default_map or {}), **settings}


def read_config(path: pathlib.Path, known: set[str]) -> dict[str, Any]:
    """Read flat settings, named like the options, from a TOML file.

    Raises
    ------
    DataError
        If the file cannot be read or sets something that is no option.
    """
    try:
        if path.stat().st_size > 2**20:
            raise DataError(f"{inert(path)} exceeds 1 MiB; a few lines of settings are needed")
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {inert(path)}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        why = inert(str(error) or "too deeply nested", 120)
        raise DataError(f"{inert(path)} is not valid TOML: {why}") from None
    out = {}
    for key, value in settings.items():
        name = key.replace("-", "_")
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise DataError(f"{inert(path)} sets {inert(key)!r}, which is no option{hint}")
        if isinstance(value, list):
            value = ",".join(map(str, value))
        elif not isinstance(value, (str, int, float, bool)):
            raise DataError(f"{inert(path)}: {inert(key)} must be text, a number or a list of them")
        out[name] = value
    return out


general_options = _stack(
    [
        click.option(
            "--json", "as_json", is_flag=True, help="One JSON document on standard output."
        ),
        click.option(
            "--config",
            metavar="FILE.toml",
            is_eager=True,
            expose_value=False,
            callback=_load_config,
            help="Options from a file.",
        ),
        click.option("--quiet", is_flag=True, help="No progress."),
        click.option(
            "--traceback", is_flag=True, expose_value=False, help="Show where errors arise."
        ),
    ]
)


def split_names(text: str | None) -> list[str]:
    """Return the names in ``a,b``."""
    return [] if text is None else [item.strip() for item in text.split(",") if item.strip()]


def parse_widths(
    text: str | None, option: str = "--widths", example: str = "32,16"
) -> tuple[int, ...] | None:
    """Return the widths in ``32,16``; ``None`` if none were given, () for an empty text.

    Raises
    ------
    DataError
        If one is not a positive integer.
    """
    if text is None:
        return None
    out = []
    for item in split_names(str(text)):
        try:
            width = int(item)
        except ValueError:
            width = 0
        if not 1 <= width <= 10**6:
            raise DataError(
                f"{option} must be positive integers like {example}, got {inert(item)!r}"
            )
        out.append(width)
    return tuple(out)


def parse_numbers(text: str, option: str, example: str) -> list[float]:
    """Return the finite numbers in ``3,2,1``; at least one.

    Raises
    ------
    DataError
        If one is no finite number, or there is none.
    """
    out = []
    for item in str(text).split(","):
        try:
            value = float(item)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DataError(f"{option} needs numbers like {example}, got {inert(item.strip())!r}")
        out.append(value)
    return out
