"""From a start to its row: integration of a chunk, and what a row holds."""

from thalweg.basins.rows._compute import compute as compute, schema_of as schema_of
from thalweg.basins.rows._schema import COLUMNS as COLUMNS, KINDS as KINDS
