"""Dask clusters as executors; the only file that imports Dask."""

from typing import Any

from thalweg._core import DataError, MissingExtraError

SECONDS = 30


def connect_dask(address: str) -> Any:
    """Connect to a running Dask cluster.

    Parameters
    ----------
    address
        ``"dask:ADDRESS"``, for example ``"dask:tcp://10.0.0.1:8786"``.

    Returns
    -------
    distributed.Client
        Its ``get_executor()`` is what `run_chunks` takes; close it afterwards.

    Raises
    ------
    MissingExtraError
        If Dask is not installed.
    DataError
        If nothing answers there.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtraError(
            'Dask is not installed; install it with pip install "thalweg[dask]"'
        ) from error
    place = address.removeprefix("dask:")
    try:
        connect: Any = Client
        return connect(place, timeout=SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"no Dask scheduler answers at {place!r}; "
            f"give the address that it prints, such as dask:tcp://HOST:8786"
        ) from error
