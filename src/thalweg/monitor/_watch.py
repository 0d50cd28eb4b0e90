"""The door: checks that PyTorch is there and returns the monitor."""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._core import MissingExtraError

NEEDS = "thalweg.monitor needs PyTorch: pip install 'thalweg[torch]'"


def watch(
    model: Any,
    optimizer: Any,
    *,
    every: int = 25,
    values_every: int | None = None,
    pairs: Sequence[tuple[Any, ...]] | None = None,
    probes: int | None = None,
    full_batch: Callable[[], Any] | None = None,
    scaler: Any = None,
    sink: Callable[[int, dict[str, float]], None] | None = None,
    max_records: int = 2000,
) -> Any:
    """Watch a training loop: ``with tw.monitor.watch(model, optimizer) as m:``.

    Parameters
    ----------
    model
        An ``nn.Module``, as it is or wrapped by ``torch.compile`` or a ``DataParallel``-like class.
    optimizer
        The optimizer, or a list of them. ``SGD``, ``Adam`` and ``AdamW`` are taken apart; of any
        other only the measured change is known, as the part ``optimizer``.
    every
        Record the first step and every so many steps: value, change and what caused it.
    values_every
        Record the values of the laws of single units so often besides, without causes.
    pairs
        Instead of looking for laws: ``("fc1", "fc2", "relu")`` or ``"linear"`` for pairs,
        ``("q", "k", "query_key", heads)`` and ``("v", "o", "value_output", heads)`` for attention.
        They are checked like those that are found.
    probes
        A matrix with more than 64 rows is observed by its diagonal, or through so many fixed
        directions. Its drift in `laws` is that of the whole matrix all the same.
    full_batch
        Returns the loss on all data. Called at recorded steps, it separates the noise of the
        batch from the step size; buffers and random numbers are put back.
    scaler
        The ``GradScaler``, so that clipping can be told from loss scaling.
    sink
        Called as ``sink(step, {"law/part": value})`` at every recorded step.
    max_records
        Beyond so many recorded steps every second one is dropped and `every` doubles; sums go on.

    Returns
    -------
    Monitor
        A context manager with `table`, `save`, `report`, `plot`, `to_tensorboard`, `record`.

    Raises
    ------
    MissingExtraError
        If PyTorch is not installed.
    DataError
        If an argument is unusable or a layer that `pairs` names does not exist.

    Notes
    -----
    Laws: Spec 2.2 and 6.3 with biases; parts: Spec 8.1, 8.2 and ``docs/monitor.md``. The monitor
    reads copies of weights and gradients in hooks of the optimizer and of the parameters. It uses
    no random numbers and leaves every number of the training as it is.
    """
    try:
        importlib.import_module("torch")
    except ImportError as error:
        raise MissingExtraError(NEEDS) from error
    monitor = importlib.import_module("thalweg.monitor._monitor")
    return monitor.Monitor(
        model,
        optimizer,
        monitor.Options(
            every=every,
            values_every=values_every,
            pairs=pairs,
            probes=probes,
            full_batch=full_batch,
            scaler=scaler,
            sink=sink,
            max_records=max_records,
        ),
    )
