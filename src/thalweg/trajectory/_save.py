"""A run as one NumPy archive that anything can read."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from thalweg._core import Array, write_whole


def save_archive(
    path: str | os.PathLike[str], arrays: Mapping[str, Array], summary: Mapping[str, Any]
) -> Path:
    """Write arrays and a summary as ``.npz``, whole or not at all, without pickles.

    Parameters
    ----------
    path
        Where to; ``.npz`` is appended if it is missing.
    arrays
        Numeric arrays by name.
    summary
        JSON types; stored as a string under ``summary``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    goal = Path(path)
    if goal.suffix != ".npz":
        goal = goal.with_name(goal.name + ".npz")
    import io
    import json  # slow to import, rarely needed

    buffer = io.BytesIO()
    text = np.array(json.dumps(summary, allow_nan=False))
    content: dict[str, Any] = {**arrays, "summary": text}
    np.savez_compressed(buffer, **content)
    return write_whole(goal, buffer.getvalue())
