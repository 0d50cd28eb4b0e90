"""What the first flow of a process imports: time is not tested, the list of modules is."""

import json
import subprocess
import sys

ALLOWED = {
    # of the standard library, small or needed
    *("__future__", "_bisect", "_ctypes", "_struct", "bisect", "copy", "ctypes", "dataclasses"),
    *("_heapq", "_json", "_opcode", "_tokenize", "heapq", "dis", "inspect", "opcode", "token"),
    *("ast", "_ast", "importlib", "linecache", "tokenize", "enum", "threading", "math"),
    *("_datetime", "datetime", "numbers", "struct", "keyword", "weakref", "_weakrefset"),
    *("pathlib", "errno", "fnmatch", "ntpath", "urllib", "ipaddress"),
}
CODE = """
import json, sys
import thalweg as tw
before = set(sys.modules)
problem = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
run = tw.flow(problem, tw.init.gaussian(problem, scale=0.1, rng=0))
assert run.status == "limit"
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_first_flow_imports_nothing_slow():
    out = subprocess.run(
        [sys.executable, "-P", "-c", CODE], capture_output=True, text=True, timeout=60, check=True
    )
    names = json.loads(out.stdout)
    foreign = {name for name in names if name.split(".")[0] not in {"thalweg", *ALLOWED}}
    # NumPy loads some of itself late
    slow = {name for name in foreign if not name.startswith("numpy.")}
    assert not slow, f"the first flow imports {sorted(slow)}: import them where they are used"
    for name in ("numpy.ma", "numpy.testing", "numpy.polynomial", "numpy.fft", "numpy.f2py"):
        assert name not in names, f"{name} takes milliseconds to import"
    assert sum(name.startswith("thalweg.") for name in names) < 120
