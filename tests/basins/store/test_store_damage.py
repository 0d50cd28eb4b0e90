"""Whatever happens to the bytes of a chunk is noticed; times of files mean nothing."""

import ast
import contextlib
import os
import random
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from toy_sweep import FINGERPRINT, PLAN, compute, files, sweep

import thalweg.basins
from thalweg.basins import Store
from thalweg.basins.store._chunk_file import DamagedError, decode, encode

CHUNKS = 6


@pytest.fixture
def store(tmp_path):
    """A finished store, locked, and what it told."""
    sweep(tmp_path / "store", CHUNKS)
    told = []
    with Store.open(tmp_path / "store", report=told.append) as store:
        yield store, told


def chunk_path(store, chunk):
    (path,) = store.path.glob(f"chunk-{chunk:06d}-*.parquet")
    return path


def damaged(store, told, chunk, content):
    """Say whether damage was found, told, set aside, and mended by writing again."""
    path = chunk_path(store, chunk)
    whole = path.read_bytes()
    path.write_bytes(content)
    told.clear()
    found = store.missing() == [chunk]
    aside = found and not path.exists() and any("_quarantine" in text for text in told)
    store.write(chunk, compute(chunk))
    return aside and path.read_bytes() == whole and not store.missing()


def flipped(content, draw):
    place, bit = draw.randrange(len(content)), 1 << draw.randrange(8)
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def test_four_hundred_flipped_bits(store):
    path, draw = chunk_path(store[0], 2), random.Random(0)
    whole = path.read_bytes()
    for _ in range(400):
        with pytest.raises(DamagedError):
            decode(path.name, flipped(whole, draw), FINGERPRINT)
    for _ in range(30):
        assert damaged(*store, 2, flipped(whole, draw))
    assert decode(path.name, whole, FINGERPRINT).num_rows == 20


def test_a_hundred_truncations_and_nothing_at_all(store):
    path, draw = chunk_path(store[0], 2), random.Random(1)
    whole = path.read_bytes()
    for _ in range(100):
        with pytest.raises(DamagedError):
            decode(path.name, whole[: draw.randrange(len(whole))], FINGERPRINT)
    for content in (b"", whole[:4], whole[:-1], whole + b"\0"):
        assert damaged(*store, 2, content)


def wrong_answers(*, verify):
    """Count flips in the pages after which PyArrow returns other numbers without an error."""
    table, draw = compute(2, rows=1000), random.Random(2)
    _, content = encode(table, 2, FINGERPRINT)
    # The footer, whose length stands before the last four bytes, has no checksum of its own.
    pages = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    expected, wrong = repr(table.to_pylist()), 0
    for _ in range(100):
        source = pa.BufferReader(flipped(content[:pages], draw) + content[pages:])
        with contextlib.suppress(Exception):
            read = pq.ParquetFile(source, page_checksum_verification=verify).read()
            wrong += repr(read.to_pylist()) != expected
    return wrong


def test_checksums_of_pages_protect_other_readers():
    assert wrong_answers(verify=True) == 0


def test_readers_that_do_not_verify_get_wrong_numbers():
    assert wrong_answers(verify=False) > 50


def test_swapped_names(store):
    one, two = chunk_path(store[0], 1), chunk_path(store[0], 2)
    contents = one.read_bytes(), two.read_bytes()
    one.write_bytes(contents[1])
    two.write_bytes(contents[0])
    assert store[0].missing() == [1, 2]


def test_a_chunk_under_another_number(store):
    path = chunk_path(store[0], 2)
    path.rename(path.with_name(path.name.replace("000002", "000009")))
    chunk_path(store[0], 3).rename(path.with_name(path.name.replace("000002", "000003")))
    assert store[0].missing() == [2, 3]
    path = chunk_path(store[0], 4)
    (store[0].path / path.name.replace("000004", "000002")).write_bytes(path.read_bytes())
    assert store[0].missing() == [2, 3]
    assert any("another chunk than its name says" in text for text in store[1])


def test_a_chunk_of_another_run(store, tmp_path):
    with Store.create_or_open(tmp_path / "other", {**PLAN, "n": 1}, "d" * 64, CHUNKS) as other:
        other.write(2, compute(2))
        foreign = chunk_path(other, 2)
    chunk_path(store[0], 2).unlink()
    (store[0].path / foreign.name).write_bytes(foreign.read_bytes())
    assert store[0].missing() == [2]
    assert "belongs to another run" in store[1][0]


def test_the_same_chunk_twice_is_used_once(store):
    store[0].write(2, compute(2, rows=21))
    assert store[0].missing() == []
    assert "twice" in store[1][0]
    assert len(files(store[0].path)) == CHUNKS


def test_damaged_rows_are_never_handed_out(store, tmp_path):
    path = chunk_path(store[0], 2)
    content = bytearray(path.read_bytes())
    content[200] ^= 4
    path.write_bytes(content)
    told = []
    reader = Store.open(tmp_path / "store", report=told.append)
    assert reader.read().num_rows == 20 * (CHUNKS - 1)
    assert path.exists()  # readers move nothing: a writer may be at work
    assert "not used" in told[0]
    assert 2 in reader.missing()


def test_quarantine_keeps_everything(store):
    whole = chunk_path(store[0], 2).read_bytes()
    for number in range(3):
        assert damaged(*store, 2, whole[: 50 + number])
    kept = sorted((store[0].path / "_quarantine").iterdir())
    assert [len(path.read_bytes()) for path in kept] == [50, 51, 52]


def test_leftovers_of_a_crash_are_cleared_by_their_own_part_alone(tmp_path):
    sweep(tmp_path / "store", CHUNKS)
    name = chunk_path(Store.open(tmp_path / "store"), 3).name
    leftover = tmp_path / "store" / f".writing-{name}-host-1"
    leftover.write_bytes(b"half")
    with Store.open(tmp_path / "store", shard=thalweg.basins.Shard(0, 2)):
        assert leftover.exists()
    with Store.open(tmp_path / "store", shard=thalweg.basins.Shard(1, 2)):
        assert not leftover.exists()


def test_clocks_and_times_of_files_decide_nothing(tmp_path, reference, monkeypatch):
    jumps = iter([0.0, 3e8, -86400.0, 3600.0] * 10_000)
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    sweep(tmp_path / "store", CHUNKS)
    for number, path in enumerate(sorted((tmp_path / "store").iterdir())):
        os.utime(path, (0, [0, 4e9, 1e9][number % 3]))
    chunk = sorted((tmp_path / "store").glob("*.parquet"))[3]
    chunk.unlink()
    assert Store.open(tmp_path / "store").missing() == [3]
    sweep(tmp_path / "store", CHUNKS)
    assert files(tmp_path / "store") == reference


def test_no_code_of_the_stage_asks_what_time_it_is():
    forbidden = {"time.time", "time.time_ns", "datetime.now", "datetime.datetime.now"}
    for path in Path(thalweg.basins.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                assert ast.unparse(node) not in forbidden
                assert not node.attr.startswith(("st_mtime", "st_ctime", "st_atime"))


def test_every_chunk_names_its_run():
    assert FINGERPRINT.encode() in encode(compute(0), 0, FINGERPRINT)[1]
