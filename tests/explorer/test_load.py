"""Who is slow, leaves, asks for too much at once or for too long: no place and no work is lost."""

import contextlib
import json
import socket
import time

import pytest
from raw import KEY, alive, head, run, serving, upload

pytestmark = pytest.mark.timeout(300)


def drip(line, seconds):
    """Send a byte now and then; say whether the other side gave up."""
    end = time.monotonic() + seconds
    line.settimeout(0.1)
    while time.monotonic() < end:
        try:
            line.sendall(b"a")
            line.recv(65536)
            return True  # closed, or an answer: the request was given up
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


@pytest.mark.parametrize(
    "start",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"POST /api/upload?name=a.csv HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"X-Thalweg-Token: " + KEY.encode() + b"\r\nContent-Length: 9999\r\n\r\n",
        b"",
    ],
)
def test_who_sends_byte_by_byte_is_given_up(start):
    with serving(patience=0.5) as port, contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            for _ in range(30)
        ]
        for line in slow:
            line.sendall(start)
        assert alive(port)
        assert drip(slow[0], 60)
        for line in slow[1:]:  # comes to an end, or runs into the timeout of the line
            with contextlib.suppress(ConnectionError):
                while line.recv(65536):
                    pass


def test_a_line_that_is_used_again_is_not_given_up_while_it_works():
    ask = head(0, "GET", "/api/options", host="127.0.0.1").replace(b"Connection: close\r\n", b"")
    with (
        serving(patience=4.0) as port,
        socket.create_connection(("127.0.0.1", port), timeout=60) as line,
    ):
        for _ in range(6):
            line.sendall(ask)
            got = b""
            while not got.endswith(b"}"):
                got += line.recv(65536)
            assert got.startswith(b"HTTP/1.1 200")
            time.sleep(0.8)


LONG = {"source": {"data": "digits", "widths": [250, 250], "loss": "sum"}, "rtol": 1e-13}
SILENT = {
    "source": {"data": "digits", "widths": [200, 200, 200], "loss": "sum"},
    "a": {"learned": []},
    "b": {"learned": [0]},
}
"""Its first message takes seconds."""


def test_who_leaves_before_the_first_message_leaves_no_work_behind():
    body = json.dumps(SILENT).encode()
    with serving(running=1, queued=0) as port:
        start = head(port, "POST", "/api/run/slice", "Content-Type: application/json",
                     length=len(body))  # fmt: skip
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(start + body)
            time.sleep(0.3)
            assert run(port, "flow", LONG)[0] == 429
        # The place is free again long before that computation could have come to its end.
        end = time.monotonic() + 60
        code = 429
        while code == 429 and time.monotonic() < end:
            code, message = run(port, "table", {})
        assert code == 200
        assert "file" in message["message"]


def test_more_at_once_than_may_wait_are_sent_away_and_the_page_answers():
    body = json.dumps(LONG).encode()
    with serving(running=1, queued=2) as port:
        start = head(port, "POST", "/api/run/flow", "Content-Type: application/json",
                     length=len(body))  # fmt: skip
        with contextlib.ExitStack() as stack:
            lines = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
                for _ in range(12)
            ]
            for line in lines:
                line.sendall(start + body)
            heads = [line.recv(200).split(b" ", 2)[1] for line in lines]
            assert sorted(heads) == [b"200"] * 3 + [b"429"] * 9
            assert alive(port)
        assert (
            run(port, "flow", {"source": {"sigma": [1.0], "dims": [1, 1, 1]}})[1]["kind"] == "end"
        )


def test_computations_end_at_the_limits_of_time_and_memory():
    with serving(seconds=2.0) as port:
        assert "stopped after 2 s" in run(port, "flow", LONG)[1]["message"]
        assert run(port, "table", {})[1]["kind"] == "error"
    rows = b"a,y\n" + b"1,2\n" * 4_000_000
    with serving(memory=2**30) as port:
        number = upload(port, "a.csv", rows)["upload"]
        message = run(port, "flow", {"source": {"upload": number, "target": ["y"]}})[1]
        assert message["kind"] in {"error", "end"}
        assert (
            run(port, "flow", {"source": {"sigma": [1.0], "dims": [1, 1, 1]}})[1]["kind"] == "end"
        )
