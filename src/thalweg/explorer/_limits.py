"""What one visitor may ask for."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on requests; shown on the page.

    Attributes
    ----------
    body
        Bytes of one request, uploads included.
    uploads
        Files kept at once; the oldest goes first.
    width, layers, parameters
        Largest hidden width, most layers of weights, most weights.
    columns
        Most columns of a table, targets included; what follows costs their square.
    running, queued
        Computations at once, and how many more may wait.
    seconds
        Time after which a computation is stopped.
    patience
        Seconds within which the headers of a request, and then its body, must be here.
    memory
        Bytes that one computation may use (where the system can limit it).
    """

    body: int = 32 * 2**20
    uploads: int = 8
    width: int = 256
    layers: int = 12
    parameters: int = 200_000
    columns: int = 2000
    running: int = 2
    queued: int = 8
    seconds: float = 300.0
    patience: float = 30.0
    memory: int = 4 * 2**30
