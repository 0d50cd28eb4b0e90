"""Writes the coefficients of the dense output of order seven of DOP853, for the lanes.

They are those of E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I,
section II.10, as SciPy holds them: the rows of ``a`` of three more stages, of 13, 14 and 15
weights, then four rows of 16 weights.

Run ``python src/native/write_dop853_dense.py`` from the root; it rewrites
``src/native/lane_dop853_dense.inc``.
"""

from pathlib import Path

import numpy as np
from scipy.integrate._ivp import dop853_coefficients as source

ROOT = Path(__file__).resolve().parents[2]


def main():
    """Write the file."""
    rows = [source.A[i, :i] for i in (13, 14, 15)]
    flat = np.concatenate([*rows, source.D.ravel()])
    text = ",\n".join(f"    {float(value)!r}" for value in flat)
    (ROOT / "src/native/lane_dop853_dense.inc").write_text(
        "// Written by write_dop853_dense.py.\n"
        f"inline constexpr double dop853_dense[] = {{\n{text}}};\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
