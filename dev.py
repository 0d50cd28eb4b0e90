"""One door to everything: installs what a task needs into .venv, then runs it.

Needs nothing but Python 3.11 or newer; run ``python3 dev.py --help``.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
TORCH = "2.13.0"
TORCH_SECONDS = 240
TASKS = {
    "demo": "analyze the bundled handwritten digits and print where the report is",
    "test": "run the whole test suite (further arguments go to pytest)",
    "lint": "style, format and import contracts",
    "types": "strict type check",
    "docs": "build the documentation into docs/_build/html",
    "bench": "time the flow against other solvers (further arguments go to the script)",
}


def say(text: str) -> None:
    """Print one line about what is going on, apart from the output of the tasks."""
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


def run(*command: str | Path) -> int:
    """Run a command in the repository and return its exit code."""
    environment = {**os.environ, "PYTHONUTF8": "1"}
    environment.setdefault("OMP_NUM_THREADS", "1")
    try:
        return subprocess.run([str(part) for part in command], cwd=ROOT, env=environment).returncode
    except KeyboardInterrupt:
        return 130


def create_venv() -> None:
    """Create .venv unless a working one is there."""
    if PYTHON.exists() and run(PYTHON, "-c", "import pip") == 0:
        return
    say("creating .venv")
    try:
        venv.create(VENV, with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"dev.py: cannot create {VENV} ({error}); on Debian or Ubuntu install python3-venv"
        )


def pip(*arguments: str) -> int:
    """Call pip of .venv quietly."""
    return run(PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments)


def fingerprint() -> str:
    """Hash of what an installation depends on; Python sources are used in place."""
    state = hashlib.sha256(repr((sys.version, find_compiler())).encode())
    sources = sorted(path for path in (ROOT / "src" / "native").glob("*") if path.is_file())
    for path in [ROOT / "pyproject.toml", ROOT / "setup.py", *sources]:
        state.update(path.name.encode() + path.read_bytes())
    return state.hexdigest()


def find_compiler() -> str | None:
    """Name the C++ compiler that the build would use."""
    candidates = [os.environ.get("CXX", ""), "c++", "g++", "clang++"]
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


def install(extra: str = "") -> None:
    """Install the package in place, with one extra; does nothing when nothing changed."""
    create_venv()
    stamp = VENV / f"thalweg-installed{'-' + extra if extra else ''}"
    wanted = fingerprint()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        say("installing thalweg" + (f" with what '{extra}' needs" if extra else ""))
        if pip("-e", f".[{extra}]" if extra else ".") != 0:
            sys.exit("dev.py: the installation failed; pip says why above")
        stamp.write_text(wanted, encoding="utf-8")
    report_core()


def report_core() -> None:
    """Say so when the compiled core is missing: everything works, only slower."""
    if any((ROOT / "src" / "thalweg" / "_native").glob("*.so")):
        return
    if find_compiler() is None:
        say("no C++ compiler found: thalweg computes with NumPy, which is slower (install g++)")
    else:
        say("the compiled core could not be built here: thalweg computes with NumPy, slower")


def install_torch() -> None:
    """Install PyTorch's CPU build where that is quick; the suite skips its tests otherwise."""
    if run(PYTHON, "-c", "import importlib.util as u; exit(u.find_spec('torch') is None)") == 0:
        return
    say(f"looking for torch {TORCH}")
    asked = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    asked += ["--retries", "1", "--only-binary", ":all:", f"torch=={TORCH}"]
    try:
        plan = subprocess.run(
            [*asked, "--dry-run", "--report", "-"],
            check=True,
            capture_output=True,
            timeout=TORCH_SECONDS,
        )
        names = [item["metadata"]["name"] for item in json.loads(plan.stdout)["install"]]
        if any(name.startswith("nvidia") for name in names):
            say("torch would come with CUDA (gigabytes); its tests are skipped")
            return
        subprocess.run(asked, check=True, capture_output=True, timeout=TORCH_SECONDS)
    except (subprocess.SubprocessError, ValueError):
        say(f"torch {TORCH} is not to be had here quickly; its tests are skipped")


def demo() -> int:
    """Analyze the digits; the last line is the path of the report."""
    install()
    code = run(BIN / "thalweg", "analyze", "digits")
    report = ROOT / "thalweg-digits" / "report.html"
    if code == 0 and report.exists():
        print(report)
    return code


def test(arguments: list[str]) -> int:
    """Install the test tools and run the suite."""
    create_venv()
    install_torch()
    install("dev")
    return run(PYTHON, "-m", "pytest", "-q", "-n", "2", *arguments)


def lint() -> int:
    """Check style, format and imports; all three always run."""
    install("dev")
    checks = [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("lint-imports",)]
    return max(run(BIN / name, *arguments) for name, *arguments in checks)


def types() -> int:
    """Check types."""
    install("dev")
    return run(BIN / "mypy")


def docs() -> int:
    """Build the documentation; a warning is an error."""
    install("docs")
    return run(PYTHON, "-m", "sphinx", "-q", "-W", "-b", "html", "docs", "docs/_build/html")


def bench(arguments: list[str]) -> int:
    """Run the comparison with other solvers."""
    install("bench")
    return run(PYTHON, ROOT / "benchmarks" / "flow_vs_peers.py", *arguments)


def main() -> int:
    """Read the command line and run one task."""
    parser = argparse.ArgumentParser(
        prog="dev.py",
        description="Installs what a task needs into .venv and runs it.",
        epilog="\n".join(f"  {name:6} {text}" for name, text in TASKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("task", choices=TASKS, metavar="TASK", help="one of those below")
    options, rest = parser.parse_known_args()
    if rest and options.task not in {"test", "bench"}:
        parser.error(f"{options.task} takes no further arguments, got {' '.join(rest)}")
    if options.task == "test":
        return test(rest)
    if options.task == "bench":
        return bench(rest)
    return {"demo": demo, "lint": lint, "types": types, "docs": docs}[options.task]()


if __name__ == "__main__":
    sys.exit(main())
