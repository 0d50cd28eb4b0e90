"""Starting the server and the browser."""

import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path

from thalweg._core import DataError, MissingExtraError
from thalweg.explorer._limits import Limits

HOST = "127.0.0.1"


def serve(
    *,
    port: int = 0,
    browser: bool = True,
    fragment: str = "",
    limits: Limits | None = None,
    stores: Path | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the page on this machine until Ctrl-C.

    Parameters
    ----------
    port
        0 takes a free one.
    browser
        Whether to open the page.
    fragment
        Screen and settings to begin with, as after ``#`` in the address.
    limits
        What the page may ask for.
    stores
        Folder with sweeps; new ones are kept there.
    say
        Told the address.

    Raises
    ------
    MissingExtraError
        If the extra ``explorer`` is not installed.
    DataError
        If the port cannot be had.
    """
    try:
        import uvicorn

        from thalweg.explorer._app import create_app
        from thalweg.explorer._patience import patient
    except ImportError as error:
        text = f"the explorer needs {error.name}: pip install 'thalweg[explorer]'"
        raise MissingExtraError(text) from None
    limits = limits or Limits()
    app = create_app(limits=limits, stores=stores)
    try:
        listener = socket.create_server((HOST, port), reuse_port=False)
    except (OSError, OverflowError) as error:
        raise DataError(f"port {port} cannot be used ({error}); choose another --port") from None
    with listener:
        address = f"http://{HOST}:{listener.getsockname()[1]}/?token={app.token}"
        if fragment:
            address += f"#{fragment}"
        say(address)
        if browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        config = uvicorn.Config(
            app,
            http=patient(limits.patience),
            log_level="warning",
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[listener])
    sys.stdout.flush()
