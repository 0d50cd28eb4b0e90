"""Which method takes the next step, and how long the step is."""

import numpy as np

from thalweg.integrate._curvature import LARGEST_DENSE
from thalweg.integrate._dop853 import LENGTH, STAGES
from thalweg.integrate._field import Field
from thalweg.integrate._rock4 import choose_degree, table
from thalweg.integrate._solution import DOP853, RODAS4

HYSTERESIS = 1.5
STAY = 5  # accepted steps before the method may change again
PROBE = 40  # accepted explicit steps before implicit ones are tried, then twice as many
TRIAL = 8  # implicit steps of a trial
FARTHEST = 64.0  # gain that is believed
LARGEST_SYSTEM = 3000  # order of the largest matrix that is factorized
AIM = 0.5  # error, as a share of the tolerance, that the controller settles at
SHRINK, GROW = 0.1, 8.0
SETTLE, CALMEST = 4, 64  # steps after which two explicit methods are compared, or changed again
NEVER = 2**62
WIDEST = 20_000  # unknowns beyond which the twelve slopes of order eight take too much memory
HIGHEST_LIFT = 16.0  # of the step of order eight above that of order four
AMPLIFICATION = 0.01  # of rounding, per fourth power of step times spectral radius


def resize(error: float, before: float, kind: int) -> float:
    """Return the factor for the next step of a proportional-integral controller."""
    order = 8 if kind == DOP853 else 4
    error, before = max(error, 1e-10) / AIM, max(before, 1e-10) / AIM
    factor = error ** (-0.7 / order) * before ** (0.3 / order)
    return float(min(max(factor, SHRINK), GROW))


class MethodChoice:
    """Cost of both methods per unit of time, from operation counts, so that it is repeatable.

    `ceiling` and `quiet` limit the step times the spectral radius: the first where longer explicit
    steps have amplified rounding so much that the loss grew, the second before that happens.
    """

    def __init__(self, field: Field, method: str) -> None:
        n, depth = field.size, len(field.dims) - 1
        self._fixed = {"rock4": False, "rodas4": True, "dop853": False}.get(method)
        self._free = method == "auto"
        self.roomy = n <= WIDEST
        self.high = method == "dop853" or (method == "auto" and self.roomy)
        order = field.dims[0] * field.dims[-1]
        if self._fixed is None and min(n, order) > LARGEST_SYSTEM:
            self._fixed = False
        products = 6.0 * field.dims[-1] * n
        call = 2e-6  # seconds for one call of NumPy; flops at 4e9 per second
        self.rhs = (6 * depth + 6) * call + products / 4e9
        dense = 8 * depth**2 * call + 8e-9 * n**2 + n**3 / 3 / 1.5e10
        self.rodas = dense + 6 * (self.rhs + 10 * call + 2e-9 * n**2)
        if n > LARGEST_DENSE:
            turn = 4 * self.rhs + 30 * call + 2e-9 * order**2
            self.rodas = 1e-8 * order**2 + order**3 / 3 / 1.5e10 + 6 * 10 * turn
        self.implicit = bool(self._fixed)
        self.ceiling = self.quiet = np.inf
        self.gain = 1.0
        self._tried_from: float | None = None
        self._seen = np.inf
        self._wait, self._patience = 0, PROBE
        self._since = 0
        self.left = np.nan  # efficiency and step of the explicit method that was left
        self.left_step, self.lift = 1.0, 3.0
        self._turn, self._calm = 0, SETTLE if self.roomy else NEVER

    @property
    def free(self) -> bool:
        """Whether nobody asked for one method."""
        return self._free

    def longest(self, radius: float) -> float:
        """Return the longest step that the explicit method can take."""
        reach = min(table()[-1].length, self.ceiling, self.quiet)
        return reach / radius if radius > 0 else np.inf

    def hear(self, size: float, tolerance: float) -> None:
        """Keep the rounding that a step amplifies well below the tolerance.

        Otherwise noise would pass for error, and the choice of the method would not see that an
        implicit step could be longer.
        """
        noise = np.finfo(float).eps * AMPLIFICATION * size
        self.quiet = max((0.1 * tolerance / noise) ** 0.25, 4.0) if noise > 0 else np.inf

    def kind(self, h: float, radius: float) -> tuple[float, int]:
        """Return the length and kind of the next step when accuracy allows `h`.

        Stiff components can trouble the explicit method's error long before the implicit one's,
        which only a trial shows: now and then a few implicit steps are taken, and `gain` is by
        how much they could be longer.
        """
        if self.high:
            h, stays = self._stays_high(h, radius)
            if stays:
                return h, DOP853
        growing, self._seen = h > 1.5 * self._seen, h
        done = self._since >= (STAY if self._tried_from is None else TRIAL)
        if self._tried_from is not None and growing and self._since < 3 * TRIAL:
            done = False
        if self._tried_from is not None and done:
            self.gain = min(max(h / self._tried_from, 1.0), FARTHEST)
        short, long = (h / self.gain, h) if self.implicit else (h, h * self.gain)
        reach = min(short, self.longest(radius))
        degree = choose_degree(reach * radius)
        if self._fixed is None and not self.implicit and self._tried_from is None:
            high = self._turns_high(reach, table()[degree].stages, radius)
            if high is not None:
                return high, DOP853
        if self._fixed is None and done:
            explicit = table()[degree].stages * self.rhs / reach
            implicit = self.rodas / long
            ratio = implicit / explicit if self.implicit else explicit / implicit
            if ratio > (HYSTERESIS if self._tried_from is None else 1.0):
                self._patience = PROBE if self._tried_from is None else 2 * self._patience
                self.implicit, self._since, self._wait = not self.implicit, 0, 0
            elif not self.implicit and degree > 0 and self._wait >= self._interval(degree):
                self.implicit, self._since, self._wait = True, 0, 0
                self._tried_from = h
                return h, RODAS4
            self._tried_from = None
        return (long, RODAS4) if self.implicit else (reach, degree)

    def _interval(self, degree: int) -> float:
        """Return after how many explicit steps a trial is cheap."""
        work = table()[degree].stages * self.rhs
        return max(min(self._patience, 16 * PROBE), 5.0 * TRIAL * self.rodas / work)

    def accepted(self) -> None:
        """Count an accepted step."""
        self._since += 1
        self._wait += 1
        self._turn += 1

    def _stays_high(self, h: float, radius: float) -> tuple[float, bool]:
        """Return the next step and whether it is of order eight."""
        cap = LENGTH / radius if radius > 0 else np.inf
        short = min(h, cap)
        if self._fixed is not None:
            return short, True
        judged = self._compare(short, short / STAGES)
        if judged or (h > cap and self._turn >= self._calm):
            step = self.left_step if judged else short / self.lift
            return self._leave(step, short, STAGES, judged=judged), False
        return short, True

    def _turns_high(self, reach: float, stages: int, radius: float) -> float | None:
        """Return the step of order eight if explicit steps are so short that it may pay."""
        cap = LENGTH / radius if radius > 0 else np.inf
        judged = self._compare(reach, reach / stages)
        hopeful = reach / stages * STAGES < 0.8 * cap and self._turn >= self._calm
        if not (judged or hopeful):
            return None
        step = min(self.left_step if judged else reach * self.lift, cap)
        return self._leave(step, reach, stages, judged=judged)

    def _compare(self, h: float, efficiency: float) -> bool:
        """Say, some steps after a change, whether the method before was better."""
        if np.isnan(self.left) or self._turn < SETTLE:
            return False
        worse = efficiency < self.left
        ratio = h / self.left_step if self.high else self.left_step / h
        self.lift = min(max(ratio, 1.0), HIGHEST_LIFT)
        self._calm = min(2 * self._calm, CALMEST) if worse else SETTLE
        if not worse:
            self.left = np.nan
        return worse

    def _leave(self, step: float, h: float, stages: int, *, judged: bool) -> float:
        """Change between the explicit methods; a method that was judged better stays."""
        self.high = not self.high
        self.left = np.nan if judged else h / stages
        self.left_step, self._seen = h, step
        self._turn = self._since = 0
        return step
