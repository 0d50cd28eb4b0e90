"""Callbacks for trainers that own the loop. All the work is done by hooks of the optimizer."""

import importlib
from typing import Any

from thalweg._core import MissingExtraError
from thalweg.monitor._watch import watch


class _Held:
    """The monitor of a callback: made when training begins, stopped when it ends."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self.monitor: Any = None

    def begin(self, model: Any, optimizer: Any) -> None:
        self.end()
        self.monitor = watch(model, optimizer, **self._options).start()

    def end(self) -> None:
        if self.monitor is not None:
            self.monitor.stop()


def lightning_callback(**options: Any) -> Any:
    """Return a callback for a Lightning ``Trainer``; its ``monitor`` is the monitor.

    Parameters
    ----------
    **options
        Of `watch`.

    Returns
    -------
    Callback
        For ``Trainer(callbacks=[...])``.

    Raises
    ------
    MissingExtraError
        If neither ``lightning`` nor ``pytorch_lightning`` is installed.
    """
    base = _base(("lightning.pytorch", "pytorch_lightning"), "Callback", "lightning")

    class LawMonitor(base):  # type: ignore[valid-type, misc]
        def __init__(self) -> None:
            super().__init__()
            self.held = _Held(options)

        @property
        def monitor(self) -> Any:
            return self.held.monitor

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            self.held.begin(pl_module, list(trainer.optimizers))

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            self.held.end()

        def on_exception(self, trainer: Any, pl_module: Any, exception: Any) -> None:
            self.held.end()

    return LawMonitor()


def hugging_face_callback(**options: Any) -> Any:
    """Return a callback for a Hugging Face ``Trainer``; its ``monitor`` is the monitor.

    Parameters
    ----------
    **options
        Of `watch`.

    Returns
    -------
    TrainerCallback
        For ``Trainer(callbacks=[...])``.

    Raises
    ------
    MissingExtraError
        If ``transformers`` is not installed.
    """
    base = _base(("transformers",), "TrainerCallback", "transformers")

    class LawMonitor(base):  # type: ignore[valid-type, misc]
        def __init__(self) -> None:
            super().__init__()
            self.held = _Held(options)

        @property
        def monitor(self) -> Any:
            return self.held.monitor

        def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            self.held.begin(given["model"], given["optimizer"])

        def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            self.held.end()

    return LawMonitor()


def _base(modules: tuple[str, ...], name: str, package: str) -> Any:
    for module in modules:
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError:
            continue
    raise MissingExtraError(f"this callback needs {package}: pip install {package}")
