"""Writes the coefficients of the explicit method of order eight, DOP853, for both engines.

They are those of E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I,
section II.10, as SciPy holds them: the lower triangle of ``a`` row by row, the weights ``b``, and
the weights of the two error estimates, of order five and three.

Run ``python src/native/write_dop853.py`` from the root; it rewrites
``src/thalweg/integrate/dop853.npy`` and ``src/native/dop853_coefficients.inc``.
"""

from pathlib import Path

import numpy as np
from scipy.integrate._ivp import dop853_coefficients as source

ROOT = Path(__file__).resolve().parents[2]
STAGES = 12


def main():
    """Write both files."""
    lower = [source.A[i, :i] for i in range(1, STAGES)]
    flat = np.concatenate([*lower, source.B, source.E5[:STAGES], source.E3[:STAGES]])
    np.save(ROOT / "src/thalweg/integrate/dop853.npy", flat)
    text = ",\n".join(f"    {float(value)!r}" for value in flat)
    head = "// Written by write_dop853.py.\n"
    (ROOT / "src/native/dop853_coefficients.inc").write_text(
        f"{head}inline constexpr double dop853_table[] = {{\n{text}}};\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
