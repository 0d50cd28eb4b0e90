"""Attempts on a running server, byte by byte: each is refused, and the page goes on."""

import io
import json
import pickle
import re
import subprocess
import time
import zipfile

import numpy as np
import pytest
from raw import KEY, alive, head, run, serving, speak, status, upload

from thalweg.data import column_names

pytestmark = pytest.mark.timeout(300)
HUGE = "1" + "0" * 400
"""A whole number that Python reads and no float holds."""


@pytest.fixture(scope="module")
def port():
    with serving(body=2**20) as found:
        yield found


@pytest.mark.parametrize(
    "host",
    [
        "evil.com",
        "[::1].evil.com",
        "[::1]evil",
        "127.0.0.1:8000.evil.com",
        "127.0.0.1:²",
        "127.0.0.1:999999",
        "localhost@evil.com",
        "127.0.0.1,evil.com",
        "127.0.0.1 evil.com",
        "0.0.0.0",
        "localhost.",
    ],
)
def test_names_that_only_look_like_ours_are_refused(port, host):
    assert status(speak(port, head(port, "GET", "/api/options", host=host))) == 403


def test_an_address_of_another_server_reaches_nothing(port):
    assert status(speak(port, head(port, "GET", "http://evil.com/api/options"))) == 404
    assert status(speak(port, b"GET / HTTP/1.1\r\n\r\n")) == 400


def test_forwarding_headers_change_nothing(port):
    lines = ["X-Forwarded-Host: 127.0.0.1", "Forwarded: host=127.0.0.1"]
    assert status(speak(port, head(port, "GET", "/", *lines, host="evil.com"))) == 403


@pytest.mark.parametrize("length", ["-1", "²", "1e3", "9" * 5000, "99999999999", "5, 6"])
def test_lengths_that_are_none_or_too_large_are_refused(port, length):
    answer = speak(port, head(port, "POST", "/api/upload?name=a.csv", length=length), b"abcde")
    assert status(answer) in {400, 413}
    assert alive(port)


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize("path", ["/api/upload?name=a.csv", "/api/run/flow"])
def test_bodies_in_chunks_are_cut_at_the_limit(port, path, key):
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    lines = ["Transfer-Encoding: chunked", "Content-Type: application/json"]
    answer = speak(port, head(port, "POST", path, *lines, key=key), *[chunk] * 64)
    # Who sends on while the line is closed may lose the answer.
    assert not answer or status(answer) == (413 if key else 403)
    assert alive(port)


@pytest.mark.parametrize("part", [b"X: " + b"a" * 10**6, b"X: a\r\n" * 10**5])
def test_headers_without_end_are_refused(port, part):
    answer = speak(port, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + part + b"\r\n\r\n")
    assert not answer or status(answer) == 400
    assert alive(port)


@pytest.mark.parametrize(
    "body", [b"[" * 10**5, b'{"a":' * 50000 + b"1" + b"}" * 50000, b'{"a":1' + b"0" * 5000 + b"}"]
)
def test_documents_that_break_readers_are_refused(port, body):
    assert run(port, "flow", body) == (400, {"message": "the request is not valid JSON"})


TARGET = '"source":{"sigma":[2,1],"dims":[2,2,2]}'


@pytest.mark.parametrize(
    ("task", "body"),
    [
        ("flow", f'{{"source":{{"sigma":[{HUGE}],"dims":[1,1,1]}}}}'),
        ("flow", '{"source":{"sigma":[NaN],"dims":[1,1,1]}}'),
        ("flow", '{"source":{"sigma":[1e999],"dims":[1,1,1]}}'),
        ("flow", f'{{{TARGET},"start":{{"value":{HUGE}}}}}'),
        ("flow", f'{{{TARGET},"start":{{"seed":{HUGE}}}}}'),
        ("flow", f'{{{TARGET},"t_end":{HUGE}}}'),
        ("flow", f'{{{TARGET},"rtol":-{HUGE}}}'),
        ("flow", f'{{{TARGET},"start":{{"kind":"\\ud800"}}}}'),
        ("flow", '{"source":{"data":"\\ud800"}}'),
        ("flow", '{"source":{"path":"/etc/passwd","data":""}}'),
        ("flow", '{"source":{"sigma":[1],"dims":[1,5000,1]},"limits":{"width":9999}}'),
        ("basins", f'{{{TARGET},"scales":[{HUGE}]}}'),
        ("basins", f'{{{TARGET},"n":{HUGE}}}'),
        ("optimizer", f'{{{TARGET},"lr":{HUGE}}}'),
        ("optimizer", f'{{{TARGET},"methods":["__class__"]}}'),
        ("push", f'{{{TARGET},"step":{HUGE}}}'),
        ("slice", f'{{{TARGET},"a":{{"learned":[[0]]}}}}'),
        ("os", "{}"),
        ("__init__", "{}"),
    ],
)
def test_values_beyond_reason_are_named_in_one_line(port, task, body):
    code, message = run(port, task, body.encode())
    assert code == 200
    assert message["kind"] == "error"
    assert "internal error" not in message["message"]
    assert message["message"].isprintable()
    assert len(message["message"]) < 400


def archive(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return out.getvalue()


class Bait:
    """Leaves a trace if it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_pickles_and_bombs_come_no_further_than_the_worker(port, tmp_path):
    trace = tmp_path / "trace"
    out = io.BytesIO()
    np.lib.format.write_array(out, np.array([Bait(trace)], dtype=object), allow_pickle=True)
    zeros = io.BytesIO()
    np.save(zeros, np.zeros((4_000_000, 10)))
    one = io.BytesIO()
    np.save(one, np.ones((1, 1)))
    pickled = archive(X=out.getvalue(), Y=one.getvalue())
    bomb = archive(X=zeros.getvalue(), Y=one.getvalue())
    assert len(bomb) < 2**20
    for content in (pickled, bomb, archive(X=pickle.dumps(Bait(trace)), Y=b"")):
        number = upload(port, "a.npz", content)["upload"]
        code, message = run(port, "flow", {"source": {"upload": number}})
        assert (code, message["kind"]) == (200, "error")
        assert "internal error" not in message["message"]
    assert not trace.exists()


@pytest.mark.parametrize("task", ["table", "flow"])
def test_a_table_with_very_many_columns_is_refused(port, task):
    count = 60_000
    names = ",".join(f"c{i}" for i in range(count))
    number = upload(port, "a.csv", f"{names}\n{','.join('1' * count)}\n".encode())["upload"]
    code, message = run(port, task, {"source": {"upload": number, "target": ["c0"]}})
    assert (code, message["kind"]) == (200, "error")
    assert "60000 columns; at most 2000 are allowed here" in message["message"]


def test_names_of_very_many_columns_take_linear_time(tmp_path):
    """Looking for repeated names once took the square of their number."""
    count = 60_000
    path = tmp_path / "a.csv"
    path.write_text(f"{','.join(f'c{i}' for i in range(count))}\n{','.join('1' * count)}\n")
    began = time.process_time()
    assert len(column_names(path)) == count
    assert time.process_time() - began < 45


def test_names_with_markup_stay_text_in_every_message(port):
    name = "<script>alert(1)</script>"
    rows = "\n".join(f"{i},{i * i % 7}" for i in range(9))
    number = upload(port, "a.csv", f'"{name}",y\n{rows}\n'.encode())["upload"]
    source = {"upload": number, "target": ["y"], "name": name}
    body = json.dumps({"source": source}).encode()
    kind = "Content-Type: application/json"
    answer = speak(port, head(port, "POST", "/api/run/flow", kind, length=len(body)), body)
    assert status(answer) == 200
    assert b"content-type: application/x-ndjson" in answer
    assert b"x-content-type-options: nosniff" in answer


def test_the_server_listens_on_this_machine_alone(address):
    port = address.split(":")[2].split("/")[0]
    out = subprocess.run(["cat", "/proc/net/tcp", "/proc/net/tcp6"], capture_output=True).stdout
    open_to = re.findall(rf"([0-9A-F]+):{int(port):04X} [0-9A-F]+:0000 0A", out.decode())
    assert open_to in (["0100007F"], [])
