"""`thalweg sweep`: many starts, kept in a folder, resumed after anything."""

import functools
import pathlib
import shlex
import sys
import time
from typing import Any

import click

from thalweg import init as starts
from thalweg._core import DataError, number
from thalweg.basins import (
    WHOLE,
    Plan,
    Shard,
    Sweep,
    ended_by_signals,
    make_plan,
    open_plan,
    open_sweep,
    run_plan,
)
from thalweg.cli._files import check_writable
from thalweg.cli._options import (
    data_options,
    general_options,
    out_option,
    problem_options,
    seed_option,
)
from thalweg.cli._output import say, tell, tell_json, tell_rows
from thalweg.cli._progress import Progress
from thalweg.cli._request import STARTS, WORDS
from thalweg.cli._subject import is_given, load_subject
from thalweg.data import inert

DONE, DEFECT, INTERRUPTED = 0, 3, 130
REPORT = "_report"  # readers of Parquet folders pass over names that begin like this


@click.command("sweep")
@data_options
@problem_options
@click.option("--n", type=click.IntRange(min=1), help="Starts for each value; default 1000.")
@click.option(
    "--init",
    metavar="KIND:VALUES",
    default="gaussian:0.1",
    show_default=True,
    help="gaussian, orthogonal, balanced (:SCALE,SCALE,...), lambda_balanced (:LAM,...), "
    "exponential (:RATE,...).",
)
@seed_option("Of all random starts.")
@click.option("--rtol", type=float, default=1e-6, show_default=True, help="Tolerance.")
@click.option("--t-end", type=float, help="Stop at this flow time; default: when decided.")
@click.option(
    "--until-width",
    type=float,
    metavar="W",
    help="Stop when every 95 % interval is at most so wide; --n is then the most.",
)
@click.option("--store", metavar="DIR", type=click.Path(path_type=pathlib.Path))
@click.option(
    "--resume", metavar="DIR", type=click.Path(path_type=pathlib.Path), help="Go on with a store."
)
@click.option(
    "--open",
    metavar="DIR",
    type=click.Path(path_type=pathlib.Path),
    help="Say what a store holds, and compute nothing.",
)
@click.option("--chunk", type=int, metavar="K", help="Compute part K, from 0, ...")
@click.option("--of", "parts", type=int, metavar="M", help="... of M; the store joins the parts.")
@click.option("--executor", metavar="NAME", help="threads, processes or dask:ADDRESS.")
@click.option("--workers", type=click.IntRange(min=1), help="Default: one for each core.")
@click.option("--report", is_flag=True, help="Write report.html and pictures.")
@out_option("Folder of the report; default: _report in the store, or thalweg-sweep.")
@general_options
def command(**options: Any) -> int:
    """Follow many starts of DATA and say how likely each ending is.

    DATA is given as for `thalweg analyze`. With --store DIR rows are kept in Parquet files, and
    `thalweg sweep --resume DIR` goes on after an interruption; --open DIR only reads it.
    """
    _check(options)
    with Progress(quiet=options["quiet"] or options["as_json"]) as progress:
        folder = _report_folder(options)
        if folder is not None and options["out"] is not None:
            check_writable(folder)
        if options["open"] is not None:
            name = str(options["open"])
            sweep, rows = open_sweep(name, report=say), [("opened", name)]
        else:
            plan, name, rows = _planned(options, progress)
            sweep = _followed(plan, options, progress)
        path = None
        if options["report"] and folder is not None:
            path = _written(sweep, folder, name)
    if sweep.stats.get("computed") and not (options["quiet"] or options["as_json"]):
        rate, seconds = number(sweep.stats["starts_per_second"]), number(sweep.stats["seconds"])
        say(f"{sweep.stats['computed']} starts in {seconds} s, {rate} a second")
    if options["as_json"]:
        document = sweep.to_dict() | {"data": name, "report": path}
        tell_json(document)
    else:
        tell_rows([*rows, *sweep.summary_rows()])
        for line in (sweep.folder, path):
            if line is not None:
                tell(line)
    if sweep.status == "interrupted" and options["open"] is None:
        return INTERRUPTED
    return DEFECT if sweep.defects() else DONE


def _check(options: dict[str, Any]) -> None:
    stores = [name for name in ("resume", "open") if options[name] is not None]
    if is_given(options) + len(stores) != 1:
        raise DataError(
            "give one of DATA or --resume DIR or --open DIR, the store of a sweep that was begun "
            "(a target given by --sigma and --dims is as good as DATA)"
        )
    if stores and options["store"] is not None:
        raise DataError(f"--{stores[0]} names the store already; leave --store out")
    if (options["chunk"] is None) != (options["parts"] is None):
        raise DataError("--chunk K and --of M belong together, as in --chunk 0 --of 8")
    if options["chunk"] is not None:
        if options["open"] is not None:
            raise DataError("--open computes nothing; use --resume DIR with --chunk")
        if options["store"] is None and options["resume"] is None:
            raise DataError("--chunk needs --store DIR, where the parts are joined")
        if options["until_width"] is not None:
            raise DataError(
                "--until-width looks at all starts, --chunk computes a part; leave one of them out"
            )


def _followed(plan: Plan, options: dict[str, Any], progress: Progress) -> Sweep:
    """Compute what is missing of a plan."""
    executor = options["executor"]
    whole = options["chunk"] is None
    with ended_by_signals():
        return run_plan(
            plan,
            store=options["store"] or options["resume"],
            executor=None if executor == "threads" else executor,
            workers=options["workers"],
            progress=functools.partial(_show, progress, time.monotonic()),
            shard=WHOLE if whole else Shard(options["chunk"], options["parts"]),
            report=say,
        )


def _planned(options: dict[str, Any], progress: Progress) -> tuple[Plan, str, list[Any]]:
    """Return the plan, what the data are called, and the request in words."""
    if options["resume"] is not None:
        plan = open_plan(options["resume"])
        return plan, str(options["resume"]), [("resumed", str(options["resume"]))]
    subject = load_subject(options, progress)
    family, parameters = parse_family(options["init"])
    plan = make_plan(
        subject.problem,
        getattr(starts, family),
        options["n"],
        rng=options["seed"],
        rtol=options["rtol"],
        t_end=options["t_end"],
        until_width=options["until_width"],
        **parameters,
    )
    counted = f"{plan.count} starts of {options['init']} in {plan.chunks} chunks"
    return plan, subject.name, [*subject.rows, ("plan", counted)]


def parse_family(text: str) -> tuple[str, dict[str, Any]]:
    """Return the family and its parameter in ``KIND:VALUE,VALUE``.

    Raises
    ------
    DataError
        If the kind is unknown or a value is no number.
    """
    kind, _, values = str(text).partition(":")
    if kind not in STARTS:
        raise DataError(f"--init {inert(kind)!r} is unknown; choose one of {', '.join(STARTS)}")
    numbers = []
    for item in values.split(",") if values else []:
        try:
            numbers.append(float(item))
        except ValueError:
            raise DataError(
                f"--init {kind} needs numbers after the colon, got {inert(item)!r}"
            ) from None
    return kind, {WORDS.get(kind, "scale"): numbers} if numbers else {}


def _show(progress: Progress, began: float, done: int, total: int, now: dict[str, Any]) -> None:
    """Show rate, time left and counts so far."""
    rate = now["computed"] / max(time.monotonic() - began, 1e-9)
    left = (total - done) / rate if rate > 0 else 0.0
    counts = now["counts"]
    told = ", ".join(f"{kind.replace('_', ' ')} {size}" for kind, size in counts.items())
    progress.show(
        f"sweep: {done} of {total} starts ({100 * done / max(total, 1):.0f} %), {number(rate)} a "
        f"second, {_clock(left)} left; {told}"
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _report_folder(options: dict[str, Any]) -> pathlib.Path | None:
    if not options["report"]:
        return None
    store = options["store"] or options["resume"] or options["open"]
    default = pathlib.Path("thalweg-sweep") if store is None else store / REPORT
    found: pathlib.Path = options["out"] or default
    return found


def _written(sweep: Sweep, folder: pathlib.Path, name: str) -> str:
    from thalweg.report import write_sweep

    command_line = shlex.join(["thalweg", *sys.argv[1:]])
    return str(write_sweep(sweep, folder, name=name, command=command_line))
