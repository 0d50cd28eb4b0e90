"""Memory that is used again at every recorded step.

Fresh memory of some megabytes costs more than the arithmetic done in it, because the system hands
it out page by page each time. Large models get it afresh all the same: what is kept is bounded.
"""

from typing import Any

import torch

KEPT = 2**27
"""Bytes that are kept at most."""


def working(dtype: Any) -> Any:
    """Return the precision to compute in: that of the weights, but not less than float32.

    Differences of weights before and after a step are exact in it, and the rounding of the weights
    is larger than that of the sums. Sums of parts are float64.
    """
    return torch.float64 if dtype == torch.float64 else torch.float32


class Buffers:
    """Tensors by purpose and shape, kept while they fit."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Any] = {}
        self._bytes = 0

    def get(self, purpose: str, name: str, like: Any, dtype: Any = None) -> Any:
        """Return an uninitialized tensor.

        Parameters
        ----------
        purpose, name
            What it is for, and of which parameter: equal ones share memory.
        like
            Gives shape and device.
        dtype
            Of the numbers; by default what `working` says.

        Returns
        -------
        Tensor
            Contiguous.
        """
        key = (purpose, name)
        found = self._kept.get(key)
        if found is not None and found.device == like.device:
            return found
        dtype = working(like.dtype) if dtype is None else dtype
        fresh = torch.empty(like.shape, dtype=dtype, device=like.device)
        size = fresh.numel() * fresh.element_size()
        if self._bytes + size <= KEPT:
            self._bytes += size
            self._kept[key] = fresh
        return fresh

    def copy(self, purpose: str, name: str, source: Any, dtype: Any = None) -> Any:
        """Return a copy of a tensor in such memory."""
        return self.get(purpose, name, source, dtype).copy_(source)

    def clear(self) -> None:
        """Give everything back."""
        self._kept.clear()
        self._bytes = 0
