"""Writes every performance page and picture again: ``python benchmarks/all.py --write``."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PARTS = (
    ("flow_vs_peers.py", "--seconds", "3", "--only", "P1", "P2", "P3", "P7"),
    ("flow_vs_peers.py", "--seconds", "600", "--only", "D32", "D32x32"),
    ("scaling.py",),
    ("large.py",),
    ("batch_vs_peers.py", "--seconds", "12"),
)


def main() -> int:
    extra, failed = sys.argv[1:], []
    for name, *options in PARTS:
        print(f"== {name}", flush=True)
        begin = time.perf_counter()
        command = [sys.executable, str(HERE / name), *options, *extra]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
        print(f"== {name}: {time.perf_counter() - begin:.0f} s", flush=True)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
