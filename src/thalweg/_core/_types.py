"""Type names used throughout."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Weights: TypeAlias = Sequence[Array]
RngLike: TypeAlias = int | np.random.Generator | None
