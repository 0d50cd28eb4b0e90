"""Looking at a model without leaving a trace: random numbers and buffers as they were."""

import contextlib
import copy
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch


@contextlib.contextmanager
def random_numbers_kept(model: Any) -> Iterator[None]:
    """Put back the state of every generator that the model's code may use."""
    devices = {item.device.index for item in model.parameters() if item.device.type == "cuda"}
    ours, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002 (put back, not used)
    try:
        with torch.random.fork_rng(devices=sorted(index or 0 for index in devices)):
            yield
    finally:
        random.setstate(ours)
        np.random.set_state(numpys)  # noqa: NPY002


@contextlib.contextmanager
def buffers_kept(model: Any) -> Iterator[None]:
    """Put back the buffers, such as running means, that a forward pass changes."""
    before = [(item, item.detach().clone()) for item in model.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for item, value in before:
                item.copy_(value)


def structure(model: Any) -> Any:
    """Copy the modules but not the parameters: what runs on the copy leaves the model alone."""
    return copy.deepcopy(model, {id(item): item for item in model.parameters()})


def unwrapped(model: Any) -> Any:
    """Return the model inside ``torch.compile`` and ``DataParallel``-like wrappers."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        children = [name for name, _ in model.named_children()]
        if inner is None and children == ["module"]:
            inner = model.module
        if not isinstance(inner, torch.nn.Module):
            return model
        model = inner
