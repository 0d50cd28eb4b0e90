"""Where a report comes from, so that it can be made again."""

import platform
from importlib import metadata

import thalweg
from thalweg._core import number
from thalweg.trajectory import Trajectory

PACKAGES = ("numpy", "scipy", "matplotlib")


def provenance(
    run: Trajectory, command: str | None, start: str | None = None
) -> list[tuple[str, str]]:
    """Return label and value of everything known about the origin of a run."""
    stats = run.stats
    rows = [
        ("command", command or "not given (made from Python)"),
        ("problem fingerprint", run.problem.fingerprint),
    ]
    if start is not None:
        rows.append(("start", start))
    rows += [
        (label, str(stats[key]))
        for key, label in (("seed", "seed"), ("engine", "engine"), ("method", "method"))
        if stats.get(key) is not None
    ]
    if "steps" in stats:
        rows.append(("steps", str(stats["steps"])))
    if "seconds" in stats:
        rows.append(("seconds of computation", number(float(stats["seconds"]))))
    rows.append(("size that was integrated", " → ".join(map(str, stats["compressed_dims"]))))
    rows.append(versions())
    return rows


def versions() -> tuple[str, str]:
    """Return label and value of what computed and drew."""
    others = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    text = f"thalweg {thalweg.__version__}, Python {platform.python_version()}, {others}"
    return "versions", text
