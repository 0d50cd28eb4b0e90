"""Make the bundled data sets from the packages that distribute them.

Run ``pip download --no-deps scikit-learn==1.5.2 statsmodels==0.14.4``, unpack both wheels into one
folder, then ``python tools/make_datasets.py FOLDER``. Writes ``src/thalweg/datasets/*.npz``.
"""

import csv
import gzip
import pathlib
import sys

import numpy as np

OUT = pathlib.Path(__file__).parents[1] / "src" / "thalweg" / "datasets"
GROWTH = ("realgdp", "realcons", "realinv", "realgovt", "realdpi", "cpi", "m1", "pop")
CHANGE = ("tbilrate", "unemp")


def digits(folder: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """8x8 images with values 0..16 and their labels as one-hot columns."""
    with gzip.open(folder / "digits.csv.gz", "rt", encoding="utf-8") as file:
        table = np.loadtxt(file, delimiter=",")
    return table[:, :-1].astype(np.uint8), np.eye(10, dtype=np.uint8)[table[:, -1].astype(int)]


def diabetes(folder: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Keep the measurements in their own units, not the scaled version."""
    with gzip.open(folder / "diabetes_data_raw.csv.gz", "rt", encoding="utf-8") as file:
        X = np.loadtxt(file)
    with gzip.open(folder / "diabetes_target.csv.gz", "rt", encoding="utf-8") as file:
        return X, np.loadtxt(file)[:, np.newaxis]


def linnerud(folder: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Exercises to body measurements."""
    X = np.loadtxt(folder / "linnerud_exercise.csv", skiprows=1)
    return X, np.loadtxt(folder / "linnerud_physiological.csv", skiprows=1)


def wine(folder: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Chemical analyses and the cultivar as one-hot columns."""
    table = np.loadtxt(folder / "wine_data.csv", delimiter=",", skiprows=1)
    return table[:, :-1], np.eye(3, dtype=np.uint8)[table[:, -1].astype(int)]


def macrodata(folder: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Vector autoregression of order one: each quarter's growth predicts the next quarter's."""
    with (folder / "macrodata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def series(name: str) -> np.ndarray:
        return np.array([float(row[name]) for row in rows])

    growth = [100.0 * np.diff(np.log(series(name))) for name in GROWTH]
    change = [np.diff(series(name)) for name in CHANGE]
    table = np.column_stack([*growth, *change])
    return table[:-1], table[1:]


def main(folder: pathlib.Path) -> None:
    """Write every set."""
    sklearn = folder / "sklearn" / "datasets" / "data"
    stats = folder / "statsmodels" / "datasets" / "macrodata"
    for make, source in (
        (digits, sklearn),
        (diabetes, sklearn),
        (linnerud, sklearn),
        (wine, sklearn),
        (macrodata, stats),
    ):
        X, Y = make(source)
        np.savez_compressed(OUT / f"{make.__name__}.npz", X=X, Y=Y)
        print(make.__name__, X.shape, Y.shape)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
