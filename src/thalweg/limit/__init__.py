"""Where a trajectory ends and which saddles it lingered at; no dynamics here."""

from thalweg.limit._arrival import Arrival as Arrival, arrival as arrival
from thalweg.limit._closing import Jump as Jump, best_fit as best_fit, close_tail as close_tail
from thalweg.limit._limit import Limit as Limit
from thalweg.limit._plateaus import (
    Plateau as Plateau,
    find_plateaus as find_plateaus,
    saddle_nearby as saddle_nearby,
)
