"""Forged files of weights end in one line, run nothing and take no memory."""

import json

import numpy as np
import pytest
from hostile import read_or_refuse, refuse, refused_in_little_memory
from hypothesis import HealthCheck, given, settings, strategies as st
from safetensors.numpy import save_file

from thalweg.data import write_weights

FILES = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def entry(begin, end, shape=(1, 1), dtype="F64"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def tensors(path, header, numbers=b"", length=None):
    """Write a .safetensors file whose header need not be true."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    length = len(text) if length is None else length
    path.write_bytes(length.to_bytes(8, "little") + text + numbers)
    return path


GOOD = json.dumps({"W1": entry(0, 8)})

HEADERS = {
    "no number fits": ({"W1": entry(0, 8)}, 0, "describes 8"),
    "numbers behind the last": ({"W1": entry(0, 8)}, 9, "describes 8"),
    "no tensor but numbers": ({}, 8, "describes 0"),
    "gap": ({"W1": entry(0, 8), "W2": entry(16, 24)}, 24, "follows a gap"),
    "gap at the start": ({"W1": entry(8, 16)}, 16, "follows a gap"),
    "overlap": ({"W1": entry(0, 8), "W2": entry(0, 8)}, 16, "overlaps"),
    "partial overlap": ({"W1": entry(0, 16, (1, 2)), "W2": entry(8, 16)}, 16, "overlaps"),
    "negative offsets": ({"W1": entry(-8, 0)}, 8, "not negative"),
    "end before begin": ({"W1": entry(8, 0)}, 8, "its place has -8"),
    "three offsets": ({"W1": {**entry(0, 8), "data_offsets": [0, 8, 8]}}, 8, "two whole"),
    "offsets of truth values": (
        {"W1": {**entry(0, 8), "data_offsets": [False, 8]}},
        8,
        "two whole",
    ),
    "offset beyond 2^63": ({"W1": entry(0, 2**63)}, 8, "two whole"),
    "shape and place differ": ({"W1": entry(0, 8, (1, 2))}, 8, "(16 bytes) but its place has 8"),
    "negative shape": ({"W1": entry(0, 8, (-1, -1))}, 8, "the shape of W1"),
    "shape that overflows": ({"W1": entry(0, 8, (2**62, 8))}, 8, "claims shape"),
    "shape of text": ({"W1": entry(0, 8, ("1",))}, 8, "the shape of W1"),
    "shape of many lengths": ({"W1": entry(0, 8, [1] * 9)}, 8, "at most 8"),
    "shape of lists": ({"W1": entry(0, 8, [[1]])}, 8, "the shape of W1"),
    "integers": ({"W1": entry(0, 8, dtype="I64")}, 8, "dtype I64"),
    "type that is none": ({"W1": entry(0, 8, dtype="\x1b[31mF64")}, 8, "\\u001b[31mF64"),
    "type that is no text": ({"W1": entry(0, 8, dtype=["F64"])}, 8, "dtype unknown"),
    "key left out": ({"W1": {"dtype": "F64", "shape": [1, 1]}}, 8, "needs exactly"),
    "key too many": ({"W1": {**entry(0, 8), "x": 1}}, 8, "needs exactly"),
    "entry that is a list": ({"W1": [1]}, 8, "needs exactly"),
    "metadata of numbers": ({"__metadata__": {"a": 1}, "W1": entry(0, 8)}, 8, "texts only"),
    "metadata that is a list": ({"__metadata__": [], "W1": entry(0, 8)}, 8, "texts only"),
    "name with escapes": ({"\x1b]0;owned\x07\u202e": entry(0, 8, dtype="U8")}, 8, "\\u001b]0;"),
    "name of half a character": ({"\ud800": entry(0, 8, dtype="U8")}, 8, "\\ud800"),
    "duplicate keys": (GOOD[:-1].encode() + b"," + GOOD[1:].encode(), 8, "occurs twice"),
    "duplicate inner keys": (GOOD.replace('{"d', '{"shape": [9], "d').encode(), 8, "occurs twice"),
    "lengths of floats": ({"W1": entry(0.0, 8)}, 8, "is no length"),
    "NaN": ({"W1": entry(0, float("nan"))}, 8, "NaN is no length"),
    "integer of 10^5 digits": (b'{"W1": ' + b"9" * 100_000 + b"}", 8, "not valid"),
    "deep nesting": (b'{"W1": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", 8, "not valid"),
    "some nesting": (b'{"W1": ' + b"[" * 900 + b"]" * 900 + b"}", 8, "needs exactly"),
    "deep shape": (GOOD.replace("[1, 1]", "[" * 900 + "]" * 900).encode(), 8, "the shape of W1"),
    "no object": (b"[1, 2]", 8, "not valid"),
    "white space first": (b" " + GOOD.encode(), 8, "not valid"),
    "text behind": (GOOD.encode() + b"{}", 8, "not valid"),
    "no UTF-8": (b'{"\xff": 1}', 8, "not valid"),
    "empty object": ({}, 0, "holds no weights"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_are_not_true(tmp_path, name):
    header, count, words = HEADERS[name]
    refuse(tensors(tmp_path / "w.safetensors", header, bytes(count)), words)


@pytest.mark.parametrize("length", [0, 1, 10**4, 2**63, 2**64 - 1])
def test_length_of_the_header(tmp_path, length):
    path = tensors(tmp_path / "w.safetensors", GOOD.encode(), bytes(8), length)
    refuse(path, f"a header of {length} bytes does not fit")


@pytest.mark.parametrize("count", range(8))
def test_files_without_a_length(tmp_path, count):
    (tmp_path / "w.safetensors").write_bytes(bytes(count))
    refuse(tmp_path / "w.safetensors", "is no .safetensors file")


def test_headers_longer_than_any_network(tmp_path):
    path = tensors(tmp_path / "w.safetensors", GOOD.encode() + b" " * 2**20, bytes(8))
    refuse(path, "at most 1048576 are read")


def test_every_truncation_is_noticed(tmp_path):
    path = write_weights(tmp_path / "w.safetensors", [np.eye(2), np.ones((1, 2))])
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        refuse(path, "w.safetensors")


def test_numbers_that_are_none(tmp_path):
    numbers = np.array([1.0, np.nan]).tobytes()
    path = tensors(tmp_path / "w.safetensors", {"W1": entry(0, 16, (1, 2))}, numbers)
    refuse(path, "W1 in w.safetensors is nan at [0, 1]")
    numbers = np.array([0x7F80], dtype="<u2").tobytes()
    path = tensors(tmp_path / "w.safetensors", {"W1": entry(0, 2, (1, 1), "BF16")}, numbers)
    refuse(path, "W1 in w.safetensors is inf at [0, 0]")


def test_size_is_refused_before_memory_is_taken(tmp_path):
    # A sparse file: eight terabytes that agree with their header and take no disk.
    count = 2**40
    header = {"W1": entry(0, 8 * count, (count, 1))}
    path = tensors(tmp_path / "w.safetensors", header)
    try:
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size + 8 * count)
    except OSError:
        pytest.skip("no sparse files here")
    refused_in_little_memory(path, "at most 4 GiB are read")
    # Half precision counts with the size that it will have.
    header = {"W1": entry(0, 2**31, (2**30, 1), "F16")}
    path = tensors(tmp_path / "w.safetensors", header)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + 2**31)
    refused_in_little_memory(path, "takes 8 GiB as doubles")


@FILES
@given(text=st.binary(max_size=200), numbers=st.binary(max_size=64), honest=st.booleans())
def test_random_bytes_end_in_one_line(tmp_path, text, numbers, honest):
    path = tensors(tmp_path / "r.safetensors", b"{" + text, numbers)
    if not honest:
        path.write_bytes(text + numbers)
    read_or_refuse(path)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 40)
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["F64", "F32", "BF16", "F16", "I8"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)

ENTRY = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F64", "F16", "BF16"]) | JSON,
        "shape": st.lists(st.integers(0, 3), max_size=3) | JSON,
        "data_offsets": st.lists(st.integers(-8, 64), min_size=2, max_size=2) | JSON,
    }
)

NAMES = st.sampled_from(["W1", "W2", "0.weight", "1.weight", "0.bias", "__metadata__"]) | st.text()


@FILES
@given(header=st.dictionaries(NAMES, ENTRY | JSON, max_size=4), count=st.integers(0, 64))
def test_random_headers_end_in_one_line(tmp_path, header, count):
    read_or_refuse(tensors(tmp_path / "r.safetensors", header, bytes(count)))


@FILES
@given(data=st.data())
def test_mutations_of_a_good_file_end_in_one_line(tmp_path, data):
    path = write_weights(tmp_path / "m.safetensors", [np.eye(3, 2), np.ones((2, 3))])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255) | st.sampled_from(b'{}[],:"0123456789-e'))
    path.write_bytes(content)
    read_or_refuse(path)


def test_names_in_any_format_are_inert(tmp_path):
    name = "\x1b[2J\x07\u202e"
    save_file({name + str(j): np.eye(2, 3) for j in range(2)}, tmp_path / "w.safetensors")
    refuse(tmp_path / "w.safetensors", "\\u001b[2J\\u0007\\u202e")
