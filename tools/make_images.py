"""Draw the pictures of the documentation by running the examples: ``python tools/make_images.py``.

Writes ``docs/images/*.png`` with at most 256 colours, so that each stays below 150 kB.
"""

import pathlib
import subprocess
import sys
import tempfile

from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]
PICTURES = {
    "figure2": ["figure2.png"],
    "landscape_tour": ["atlas.png", "descent.png"],
    "linnerud": ["linnerud.png"],
    "optimizers": ["drift_against_step.png", "training.png"],
    "nonlinear_tour": ["relu.png", "eq1.png"],
    "basins_by_depth": ["basins_by_depth.png"],
    "plateau_times": ["plateau_times.png"],
    "stable_sets": ["stable_sets.png"],
}
MOST = 150_000


def main() -> None:
    """Run every example in a folder of its own and keep what it drew."""
    for example, names in PICTURES.items():
        with tempfile.TemporaryDirectory() as folder:
            script = ROOT / "examples" / f"{example}.py"
            subprocess.run([sys.executable, str(script)], cwd=folder, check=True)
            for name in names:
                path = ROOT / "docs" / "images" / name
                with Image.open(pathlib.Path(folder) / name) as picture:
                    picture.convert("RGB").quantize(256).save(path, optimize=True)
                print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
                if path.stat().st_size > MOST:
                    sys.exit(f"{name} exceeds {MOST} bytes; draw it with a lower dpi")


if __name__ == "__main__":
    main()
