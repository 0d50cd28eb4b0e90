"""The columns of a sweep's table."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg._core import Array

KINDS = ("global_minimum", "strict_saddle", "non_strict_saddle", "not_critical", "undecided")
STATUSES = ("limit", "horizon", "diverged", "failed")
COLUMNS = {
    "index": "number of the start; with the seed it names its stream of random numbers",
    "seed": "seed of the sweep",
    "status": "limit, horizon (not decided within the time or steps), diverged, failed",
    "kind": "kind of critical point at the limit, or undecided",
    "learned": "singular directions that the limit has learned, counted from 0",
    "rank": "rank of the end-to-end map there",
    "loss": "reducible loss where the integration ended",
    "certified": "a theorem says that the limit is a global minimum",
    "decided_by": "what decided",
    "t_decision": "flow time at which the integration ended",
    "steps": "steps of the integration",
    "t_certificate": "flow time from which the limit is certified; null if never",
    "plateaus": "saddles that were passed: learned, t_enter, t_exit",
    "gradient_norm": "of the last point, in the coordinates of the flow",
    "polish_distance": "from the last point to the limit: a proved bound if certified",
    "drift": "bound on the relative drift of the conserved matrices",
    "imbalance": "largest Frobenius norm of the conserved matrices of the start",
    "rate": "certified rate of decay of the loss from the last point on; 0 if none",
}
"""Name and meaning; the parameters of the grid stand after ``seed``."""

Codes = npt.NDArray[np.int8]
Places = npt.NDArray[np.int64]


@dataclasses.dataclass
class Rows:
    """A chunk of results before it is a table; one entry for each start.

    What repeats is kept once: `learned` holds numbers of entries of `sets`, `decided_by` of
    `words`. Plateaus are flat arrays with the row that they belong to, in any order of rows.
    """

    index: npt.NDArray[np.int64]
    status: Codes
    kind: Codes
    learned: npt.NDArray[np.int32]
    rank: npt.NDArray[np.int16]
    loss: Array
    certified: npt.NDArray[np.bool_]
    decided_by: npt.NDArray[np.int32]
    t_decision: Array
    steps: npt.NDArray[np.int64]
    t_certificate: Array
    gradient_norm: Array
    polish_distance: Array
    drift: Array
    imbalance: Array
    rate: Array
    sets: dict[tuple[int, ...], int]
    words: dict[str, int]
    plateaus: list[tuple[Places, Places, Array, Array]]

    @classmethod
    def undecided(cls, index: npt.NDArray[np.int64]) -> "Rows":
        """Begin with rows of which nothing is known."""
        count = len(index)
        unknown = [np.full(count, np.nan) for _ in range(8)]
        return cls(
            index=index,
            status=np.full(count, STATUSES.index("failed"), dtype=np.int8),
            kind=np.full(count, KINDS.index("undecided"), dtype=np.int8),
            learned=np.zeros(count, dtype=np.int32),
            rank=np.zeros(count, dtype=np.int16),
            loss=unknown[0],
            certified=np.zeros(count, dtype=bool),
            decided_by=np.zeros(count, dtype=np.int32),
            t_decision=unknown[1],
            steps=np.zeros(count, dtype=np.int64),
            t_certificate=unknown[2],
            gradient_norm=unknown[3],
            polish_distance=unknown[4],
            drift=unknown[5],
            imbalance=unknown[6],
            rate=unknown[7],
            sets={(): 0},
            words={"numerical failure": 0},
            plateaus=[],
        )

    def decide(self, places: Any, status: str, kind: str, because: str) -> None:
        """Write status, kind and reason of some rows."""
        self.status[places] = STATUSES.index(status)
        self.kind[places] = KINDS.index(kind)
        self.decided_by[places] = self.words.setdefault(because, len(self.words))

    def learn(self, places: Any, learned: tuple[int, ...], rank: int) -> None:
        """Write learned set and rank of some rows."""
        self.learned[places] = self.set_code(learned)
        self.rank[places] = rank

    def forget_plateaus(self, places: list[int]) -> None:
        """Drop the plateaus of some rows."""
        if places:
            kept = [(part, ~np.isin(part[0], places)) for part in self.plateaus]
            self.plateaus = [
                (part[0][mask], part[1][mask], part[2][mask], part[3][mask]) for part, mask in kept
            ]

    def set_code(self, learned: tuple[int, ...]) -> int:
        """Return the number of a learned set."""
        return self.sets.setdefault(tuple(learned), len(self.sets))


def parameter_name(name: str) -> str:
    """Return the column of a parameter: its name, unless a column of results has it."""
    return f"init_{name}" if name in COLUMNS else name


def parameter_type(values: tuple[Any, ...]) -> Any:
    """Return the Arrow type that holds the shown values of a parameter."""
    import pyarrow as pa

    kinds = {type(item) for item in values}
    if kinds <= {bool}:
        return pa.bool_()
    if kinds <= {int}:
        return pa.int64()
    return pa.float64() if kinds <= {int, float} else pa.string()


def table_schema(parameters: list[tuple[str, Any]]) -> Any:
    """Return the Arrow schema; `parameters` are column names with types."""
    import pyarrow as pa

    plateau = pa.struct(
        [("learned", pa.list_(pa.int16())), ("t_enter", pa.float64()), ("t_exit", pa.float64())]
    )
    real = ("loss", "t_decision", "t_certificate", "gradient_norm", "polish_distance")
    types = {
        "index": pa.int64(),
        "seed": pa.int64(),
        "status": pa.string(),
        "kind": pa.string(),
        "learned": pa.list_(pa.int16()),
        "rank": pa.int16(),
        "certified": pa.bool_(),
        "decided_by": pa.string(),
        "steps": pa.int64(),
        "plateaus": pa.list_(plateau),
        **{name: pa.float64() for name in (*real, "drift", "imbalance", "rate")},
    }
    fields = [pa.field(name, types[name], nullable=True) for name in COLUMNS]
    extra = [pa.field(name, kind) for name, kind in parameters]
    return pa.schema(fields[:2] + extra + fields[2:])


def to_table(rows: Rows, seed: int, parameters: dict[str, Any], schema: Any) -> Any:
    """Return a chunk as a ``pyarrow.Table``; NaN becomes null."""
    import pyarrow as pa

    count = len(rows.index)
    sets = pa.array([list(item) for item in rows.sets], pa.list_(pa.int16()))
    columns: dict[str, Any] = {
        "index": rows.index,
        "seed": np.full(count, seed, dtype=np.int64),
        "status": pa.array(STATUSES).take(pa.array(rows.status)),
        "kind": pa.array(KINDS).take(pa.array(rows.kind)),
        "learned": sets.take(pa.array(rows.learned)),
        "decided_by": pa.array(list(rows.words), pa.string()).take(pa.array(rows.decided_by)),
        "plateaus": _plateaus(rows, sets),
    }
    arrays = []
    for field in schema:
        if field.name in parameters:
            arrays.append(pa.array(parameters[field.name], type=field.type))
            continue
        given = columns[field.name] if field.name in columns else getattr(rows, field.name)
        if isinstance(given, np.ndarray):
            given = pa.array(given, type=field.type, from_pandas=given.dtype.kind == "f")
        arrays.append(given.cast(field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _plateaus(rows: Rows, sets: Any) -> Any:
    import pyarrow as pa

    none = np.zeros(0)
    owners = np.concatenate([none, *(part[0] for part in rows.plateaus)]).astype(np.int64)
    codes = np.concatenate([none, *(part[1] for part in rows.plateaus)]).astype(np.int64)
    times = [np.concatenate([none, *(part[k] for part in rows.plateaus)]) for k in (2, 3)]
    order = np.argsort(owners, kind="stable")
    parts = [sets.take(pa.array(codes[order])), *(pa.array(item[order]) for item in times)]
    struct = pa.StructArray.from_arrays(parts, names=["learned", "t_enter", "t_exit"])
    sizes = np.bincount(owners, minlength=len(rows.index))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), struct)
