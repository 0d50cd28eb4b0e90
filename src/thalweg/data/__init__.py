"""Tables and weights from files: what a file may contain, which columns are targets, reduction."""

from thalweg.data._batches import column_names as column_names
from thalweg.data._inert import inert as inert
from thalweg.data._numpy_files import read_arrays as read_arrays
from thalweg.data._read import read_table as read_table
from thalweg.data._reduce import (
    Reduction as Reduction,
    reduce_batches as reduce_batches,
    reduce_table as reduce_table,
)
from thalweg.data._scaling import rescale as rescale
from thalweg.data._table import Table as Table
from thalweg.data._weight_files import (
    WeightFile as WeightFile,
    open_weights as open_weights,
    read_weights as read_weights,
    write_weights as write_weights,
)
