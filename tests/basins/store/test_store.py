"""A store holds what was written, says what is missing, and refuses what is not its own."""

import json
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import toy_sweep
from toy_sweep import FINGERPRINT, PLAN, compute, files, sweep

import thalweg
from thalweg._core import DataError, StoreError
from thalweg.basins import Shard, Store, SweepWarning
from thalweg.basins.store._manifest import Manifest

CHUNKS = 6


def store_at(folder, **options):
    return Store.create_or_open(folder, PLAN, FINGERPRINT, CHUNKS, **options)


def test_rows_come_back_sorted_and_unchanged(tmp_path):
    with store_at(tmp_path / "new" / "store") as store:
        assert store.missing() == list(range(CHUNKS))
        for chunk in (4, 0, 5, 2, 1, 3):
            store.write(chunk, compute(chunk).take(list(range(19, -1, -1))))
        assert store.missing() == []
    expected = pa.concat_tables([compute(chunk) for chunk in range(CHUNKS)])
    table = Store.open(tmp_path / "new" / "store").read()
    assert table.column("index").to_pylist() == list(range(20 * CHUNKS))
    # As text, because not-a-numbers are equal to nothing.
    assert repr(table.to_pylist()) == repr(expected.to_pylist())
    assert table.schema.equals(expected.schema)


def test_bytes_do_not_depend_on_how_rows_were_put_together(tmp_path):
    whole, pieces = compute(3), [compute(3).slice(i, 5) for i in (15, 0, 10, 5)]
    marked = pa.concat_tables(pieces).replace_schema_metadata({"made": "today"})
    for name, table in (("a", whole), ("b", marked)):
        with store_at(tmp_path / name) as store:
            store.write(3, table)
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_order_of_writing_leaves_no_trace(tmp_path, reference):
    with store_at(tmp_path / "store") as store:
        for chunk in reversed(range(CHUNKS)):
            store.write(chunk, compute(chunk))
    assert files(tmp_path / "store") == reference


def test_batches_hold_one_chunk_at_a_time(tmp_path):
    sweep(tmp_path / "store", CHUNKS)
    sizes, last = [], -1
    for table in Store.open(tmp_path / "store").batches():
        index = table.column("index").to_pylist()
        assert index == sorted(index)
        assert index[0] > last
        last = index[-1]
        sizes.append(len(index))
    assert sizes == [20] * CHUNKS


def test_an_empty_store_and_empty_chunks_can_be_read(tmp_path):
    with store_at(tmp_path / "store") as store:
        assert store.read().num_rows == 0
        store.write(0, compute(0).slice(0, 0))
        assert store.missing() == [1, 2, 3, 4, 5]
        assert store.read().num_rows == 0


def test_other_programs_read_it_as_it_is(tmp_path):
    sweep(tmp_path / "store", CHUNKS)
    assert pq.read_table(tmp_path / "store").num_rows == 20 * CHUNKS
    pattern = str(tmp_path / "store" / "*.parquet")
    total = sum(range(20 * CHUNKS))
    checked = pq.ParquetFile(
        next((tmp_path / "store").glob("*.parquet")), page_checksum_verification=True
    )
    assert checked.read().num_rows == 20
    pandas = pytest.importorskip("pandas")
    assert pandas.read_parquet(tmp_path / "store")["index"].sum() == total
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(pattern)["index"].sum() == total
    assert polars.scan_parquet(pattern).select("kind").collect().height == 20 * CHUNKS
    duckdb = pytest.importorskip("duckdb")
    assert duckdb.sql(f"select sum(index) from '{pattern}'").fetchall() == [(total,)]


def test_parts_fill_one_store(tmp_path, reference):
    for part in (2, 0, 3, 1):
        sweep(tmp_path / "store", CHUNKS, shard=Shard(part, 4))
    assert files(tmp_path / "store") == reference
    assert Store.open(tmp_path / "store").missing() == []


def test_parts_that_do_not_exist_are_refused():
    for part, of in ((4, 4), (-1, 4), (0, 0)):
        with pytest.raises(DataError, match="does not exist"):
            Shard(part, of)


def test_parts_meet_exactly_where_they_share_a_chunk():
    for a in range(1, 7):
        for b in range(1, 7):
            for i in range(a):
                for j in range(b):
                    shared = set(range(i, 60, a)) & set(range(j, 60, b))
                    assert Shard(i, a).meets(Shard(j, b)) == bool(shared)


def test_writing_needs_the_lock_and_the_right_chunk(tmp_path):
    store = store_at(tmp_path / "store", shard=Shard(1, 2))
    with pytest.raises(StoreError, match="not locked"):
        store.write(1, compute(1))
    with store:
        store.write(1, compute(1))
        for chunk in (0, 7, -1):
            with pytest.raises(StoreError, match="not locked"):
                store.write(chunk, compute(0))
        with pytest.raises(DataError, match="no column 'index'"):
            store.write(1, pa.table({"loss": [1.0]}))
        with pytest.raises(DataError, match="index of their own"):
            store.write(1, pa.table({"index": [1, 1]}))
        with pytest.raises(DataError, match="index of their own"):
            store.write(1, pa.table({"index": [1, None]}))


@pytest.mark.parametrize(
    ("plan", "fingerprint", "chunks", "words"),
    [
        ({**PLAN, "n": 700}, "a" * 64, CHUNKS, "n is 600 there, 700 here"),
        ({**PLAN, "problem": {"dims": [4, 3]}}, "a" * 64, CHUNKS, r"problem.dims is \[4, 3, 2\]"),
        ({**PLAN, "t_end": 5.0}, "a" * 64, CHUNKS, "t_end is nothing there, 5.0 here"),
        (PLAN, FINGERPRINT, 7, "6 chunks there, 7 here"),
        (PLAN, "a" * 64, CHUNKS, "versions of the libraries"),
    ],
)
def test_another_plan_is_refused_with_what_differs(tmp_path, plan, fingerprint, chunks, words):
    sweep(tmp_path / "store", CHUNKS)
    before = files(tmp_path / "store")
    with pytest.raises(StoreError, match=words) as caught:
        Store.create_or_open(tmp_path / "store", plan, fingerprint, chunks)
    assert "\n" not in str(caught.value)
    assert files(tmp_path / "store") == before


def test_another_version_is_named(tmp_path):
    sweep(tmp_path / "store", CHUNKS)
    manifest = tmp_path / "store" / "_manifest.json"
    assert json.loads(manifest.read_text())["version"] == thalweg.__version__
    other = Manifest(PLAN, "b" * 64, CHUNKS, "9.9.9")
    manifest.write_bytes(other.to_bytes())
    with pytest.raises(StoreError, match=r"thalweg 9\.9\.9 there"):
        store_at(tmp_path / "store")


def test_another_format_is_refused_with_the_version_that_wrote_it(tmp_path):
    sweep(tmp_path / "store", CHUNKS)
    manifest = tmp_path / "store" / "_manifest.json"
    body = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**body, "format": 2, "version": "9.9.9"}))
    for opens in (Store.open, store_at):
        with pytest.raises(StoreError, match=r"format 2, written by thalweg 9\.9\.9"):
            opens(tmp_path / "store")


def test_a_store_says_how_to_go_on(tmp_path):
    sweep(tmp_path / "store", CHUNKS)
    store = Store.open(tmp_path / "store")
    assert store.manifest.plan == PLAN
    assert (store.manifest.fingerprint, store.manifest.chunks) == (FINGERPRINT, CHUNKS)
    with pytest.raises(StoreError, match="is missing"):
        Store.open(tmp_path)
    with pytest.raises(StoreError, match="is missing"):
        Store.open(tmp_path / "nowhere")


def test_folders_of_others_are_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(StoreError, match=r"not empty \(it holds thesis\.tex\)"):
        store_at(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(StoreError, match="choose a folder, not a file"):
        store_at(tmp_path / "thesis.tex")


def test_every_damage_to_the_manifest_is_seen_and_mended(tmp_path, reference):
    sweep(tmp_path / "store", CHUNKS)
    manifest = tmp_path / "store" / "_manifest.json"
    whole = manifest.read_bytes()
    for place in range(0, len(whole), 7):
        manifest.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(StoreError, match=r"damaged|format"):
            Store.open(tmp_path / "store")
    manifest.write_bytes(b"")
    with pytest.warns(SweepWarning, match="written anew"):
        store = store_at(tmp_path / "store")
    assert manifest.read_bytes() == whole
    assert store.missing() == []
    manifest.unlink()
    assert store_at(tmp_path / "store").missing() == []
    manifest.unlink()
    with pytest.raises(StoreError, match="chunks of another sweep"):
        Store.create_or_open(tmp_path / "store", PLAN, "c" * 64, CHUNKS)
    assert files(tmp_path / "store") == reference


def test_many_make_the_same_store_at_once(tmp_path):
    errors = []

    def make(part):
        try:
            sweep(tmp_path / "store", CHUNKS, shard=Shard(part, 6))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=make, args=(part,)) for part in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert Store.open(tmp_path / "store").missing() == []


def test_a_strange_file_is_pointed_out(tmp_path):
    sweep(tmp_path / "store", CHUNKS)
    pq.write_table(toy_sweep.compute(0), tmp_path / "store" / "mine.parquet")
    with pytest.warns(SweepWarning, match=r"mine\.parquet is no chunk"):
        assert Store.open(tmp_path / "store").read().num_rows == 20 * CHUNKS
