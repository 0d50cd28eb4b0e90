"""Connections that send nothing, or only a little at a time, do not stay for ever."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


def patient(seconds: float) -> type[H11Protocol]:
    """Return a protocol that closes a connection whose request line and headers take longer."""

    class Patient(H11Protocol):  # type: ignore[misc]
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._rest()
            super().connection_lost(exc)

        def _watch(self) -> None:
            """Set the clock while no request is whole; what comes piece by piece sets none anew."""
            if self.cycle is not None and not self.cycle.response_complete:
                self._rest()
            elif self._late is None:
                self._late = self.loop.call_later(seconds, self.transport.close)

        def _rest(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

    return Patient
