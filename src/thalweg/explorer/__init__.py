"""The local web page: watch a flow, walk through the landscape, count basins.

A server on this machine answers one page; every computation runs in a worker process that can be
stopped at any moment. Needs the extra ``explorer``.
"""

from thalweg.explorer._limits import Limits as Limits
from thalweg.explorer._serve import serve as serve
