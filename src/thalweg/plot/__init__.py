"""Pictures of results, drawn with matplotlib's object interface (no pyplot, no global state)."""

from thalweg.plot._descent import panels_of as panels_of
from thalweg.plot._draw import draw as draw
from thalweg.plot._figure import PANELS as PANELS, thinning_note as thinning_note
from thalweg.plot._style import (
    CYCLE as CYCLE,
    GRID as GRID,
    INK as INK,
    PALE as PALE,
    PAPER as PAPER,
    SETTINGS as SETTINGS,
)
from thalweg.plot._verdict import verdict_panels as verdict_panels
