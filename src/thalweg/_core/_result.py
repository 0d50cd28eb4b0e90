"""The base of every result: immutable, JSON-safe, readable on one screen."""

import base64
import dataclasses
import enum
import importlib
import io
import math
from typing import Any

import numpy as np

from thalweg._core._errors import ThalwegError


def jsonable(value: Any) -> Any:
    """Turn a value into JSON types; NaN and infinities become ``None``."""
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in value]
    return _json_scalar(value)


def _json_scalar(value: Any) -> bool | int | float | str | None:
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Result:
    """Base of all results. Fields that begin with an underscore stay out of `to_dict`.

    Subclasses are dataclasses declared with ``eq=False, repr=False``.
    """

    def __post_init__(self) -> None:
        """Make every array field read-only; factories hand over arrays that they own."""
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def to_dict(self) -> dict[str, Any]:
        """Return the public fields as JSON types, with the name of the type."""
        out: dict[str, Any] = {"type": type(self).__name__}
        for field in dataclasses.fields(self):
            if not field.name.startswith("_"):
                out[field.name] = jsonable(getattr(self, field.name))
        return out

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of `repr`: label and value, the most important first."""
        rows = []
        for field in dataclasses.fields(self):
            if field.name.startswith("_"):
                continue
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                text = f"array of shape {value.shape}"
            elif isinstance(value, float):
                text = f"{value:.6g}"
            elif isinstance(value, (list, tuple)) and len(value) > 8:
                text = f"{len(value)} items"
            elif isinstance(value, tuple) and value and all(isinstance(x, float) for x in value):
                text = ", ".join(f"{x:.6g}" for x in value)
            else:
                text = str(value)
            rows.append((field.name, text if len(text) <= 200 else text[:197] + "..."))
        return rows

    def __repr__(self) -> str:
        rows = self.summary_rows()[:14]
        width = max((len(label) for label, _ in rows), default=0)
        lines = [f"  {label:<{width}}  {text}" for label, text in rows]
        return "\n".join([type(self).__name__, *lines])

    def _repr_html_(self) -> str:
        import html  # slow to import, and notebooks only

        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for label, text in self.summary_rows()
        )
        name = html.escape(type(self).__name__)
        return f"{self._picture()}<table><caption>{name}</caption>{rows}</table>"

    def _key_figure(self) -> Any:
        """Return the picture that a notebook shows above the table, or ``None``."""
        return None

    def _picture(self) -> str:
        """Return the key figure as an element, or nothing where there is no picture."""
        try:
            figure = self._key_figure()
        except ThalwegError:
            return ""
        if figure is None:
            return ""
        import html

        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=90)
        data = base64.b64encode(buffer.getvalue()).decode()
        text = html.escape(f"Picture of the {type(self).__name__}", quote=True)
        return f'<img alt="{text}" src="data:image/png;base64,{data}">'

    def plot(self, **options: Any) -> Any:
        """Draw the result; returns a matplotlib ``Figure``."""
        return importlib.import_module("thalweg.plot").draw(self, **options)
