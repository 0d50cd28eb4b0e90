"""Pictures of results, drawn with matplotlib's object interface (no pyplot, no global state)."""

from thalweg.plot._counterexamples import draw_systems as draw_systems
from thalweg.plot._descent import panels_of as panels_of
from thalweg.plot._draw import draw as draw
from thalweg.plot._figure import PANELS as PANELS
from thalweg.plot._monitor import RECORD_PANELS as RECORD_PANELS
from thalweg.plot._style import (
    CYCLE as CYCLE,
    GRID as GRID,
    INK as INK,
    PALE as PALE,
    PAPER as PAPER,
    SETTINGS as SETTINGS,
)
from thalweg.plot._sweep import sweep_panels as sweep_panels
from thalweg.plot._verdict import verdict_panels as verdict_panels
