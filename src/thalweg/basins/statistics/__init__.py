"""What many rows say together: fractions, times, curves, and what contradicts a theorem."""

from thalweg.basins.statistics._curves import (
    certificate_times as certificate_times,
    plotted_axes as plotted_axes,
    staircase as staircase,
    time_range as time_range,
)
from thalweg.basins.statistics._fractions import (
    Fraction as Fraction,
    Fractions as Fractions,
    Tally as Tally,
)
from thalweg.basins.statistics._intervals import (
    anytime_interval as anytime_interval,
    clopper_pearson as clopper_pearson,
    quantile_interval as quantile_interval,
)
from thalweg.basins.statistics._looks import looks as looks, narrow_enough as narrow_enough
from thalweg.basins.statistics._theorems import (
    Defect as Defect,
    Theorem as Theorem,
    Watch as Watch,
    theorems as theorems,
)
from thalweg.basins.statistics._times import (
    Times as Times,
    decision_times as decision_times,
    plateau_times as plateau_times,
)
