"""How a task speaks."""

from collections.abc import Callable

Emit = Callable[..., None]
"""Called as ``emit(kind, **content)``; the content is anything that `jsonable` takes."""
