"""A store that keeps its chunks in memory; the same calls as the one in a folder."""

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self


class MemoryStore:
    """Chunks of a sweep without a folder."""

    def __init__(self, chunks: int, schema: Any) -> None:
        self._chunks: dict[int, Any] = {}
        self._count = chunks
        self._schema = schema
        self.notes: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held."""

    def missing(self) -> list[int]:
        """Return the numbers of chunks that are not there."""
        return [k for k in range(self._count) if k not in self._chunks]

    def write(self, chunk: int, table: Any) -> None:
        """Keep a chunk."""
        self._chunks[chunk] = table

    def batches(self) -> Iterator[Any]:
        """Return the chunks in order."""
        return (self._chunks[k] for k in sorted(self._chunks))

    def read(self) -> Any:
        """Return all rows in the order of their indices."""
        import pyarrow as pa

        tables = list(self.batches())
        return pa.concat_tables(tables) if tables else self._schema.empty_table()
