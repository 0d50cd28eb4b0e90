"""Which method takes the next step, and how long the step is."""

import numpy as np

from thalweg.integrate._curvature import LARGEST_DENSE
from thalweg.integrate._dop853 import LENGTH, STAGES
from thalweg.integrate._field import Field
from thalweg.integrate._rock4 import choose_degree, table
from thalweg.integrate._solution import DOP853, RODAS4

STAY = 5  # accepted implicit steps before explicit ones may come back
TRIAL = 12  # implicit steps of a trial, three times as many while they grow
PATIENT, MOST_PATIENT = 8, 640  # explicit steps before a trial; doubled when it was in vain
LARGEST_SYSTEM = 3000  # order of the largest matrix that is factorized
AIM = 0.5  # error, as a share of the tolerance, that the controller settles at
SHRINK, GROW = 0.1, 8.0
SETTLE, CALMEST = 4, 64  # steps after which two explicit methods are compared, or changed again
NEVER = 2**62
WIDEST = 20_000  # unknowns beyond which the twelve slopes of order eight take too much memory
HIGHEST_LIFT = 16.0  # of the step of order eight above that of order four
BRIEF = 2.0  # step times spectral radius that implicit steps cannot beat
HOPEFUL = 2.0  # cost of a trial's first step per unit of time, of that of explicit ones
SMALL = 64  # order up to which the multistep method has one system
SERVED = 15.0  # steps by one system
STIFF = 0.01  # of the largest square of the metric: columns that systems are about, roughly
AMPLIFICATION = 0.01  # of rounding, per fourth power of step times spectral radius


def resize(error: float, before: float, kind: int) -> float:
    """Return the factor for the next step of a proportional-integral controller."""
    order = 8 if kind == DOP853 else 4
    error, before = max(error, 1e-10) / AIM, max(before, 1e-10) / AIM
    factor = error ** (-0.7 / order) * before ** (0.3 / order)
    return float(min(max(factor, SHRINK), GROW))


def system_work(field: Field) -> float:
    """Return the operations of a multistep method's systems, per step."""
    square = field.metric * field.metric
    least = STIFF * np.maximum.reduce(square, initial=0.0)
    rows, cols = field.dims[-1], int(np.count_nonzero(square >= least))
    order = rows * cols if len(field.dims) > 3 and rows * cols <= SMALL else cols
    blocks = rows * cols / max(order, 1)
    return float(blocks * (2 * order**2 + 2 * order**3 / SERVED))


class MethodChoice:
    """Cost of the methods per unit of time, from operation counts, so that it is repeatable.

    `ceiling` and `quiet` limit the step times the spectral radius: the first where longer explicit
    steps have amplified rounding so much that the loss grew, the second before that happens.
    `multistep` says which method implicit steps are of: BDF, or Rodas4.
    """

    def __init__(self, field: Field, method: str, *, systems: bool = True) -> None:
        """Begin; without `systems` the field is not a linear network's and has no BDF."""
        n, depth = field.size, len(field.dims) - 1
        self._fixed = {"rock4": False, "rodas4": True, "dop853": False, "bdf": True}.get(method)
        self._free = method == "auto"
        self.roomy = n <= WIDEST
        self.high = method == "dop853"  # a first step at a guessed length is cheap at order four
        self.multistep = systems and (method == "bdf" or (method == "auto" and self.roomy))
        order = field.dims[0] * field.dims[-1]
        if self._fixed is None and not self.multistep and min(n, order) > LARGEST_SYSTEM:
            self._fixed = False
        products = 6.0 * field.dims[-1] * n
        call = 2e-6  # seconds for one call of NumPy; flops at 4e9 per second
        self.rhs = (6 * depth + 6) * call + products / 4e9
        if self.multistep:
            self.systems = system_work(field)
            self.step = 5 * self.rhs + self.systems / 4e9
        elif n > LARGEST_DENSE:
            turn = 4 * self.rhs + 30 * call + 2e-9 * order**2
            self.step = 1e-8 * order**2 + order**3 / 3 / 1.5e10 + 6 * 10 * turn
        else:
            dense = 8 * depth**2 * call + 8e-9 * n**2 + n**3 / 3 / 1.5e10
            self.step = dense + 6 * (self.rhs + 10 * call + 2e-9 * n**2)
        self.implicit = bool(self._fixed)
        self.ceiling = self.quiet = np.inf
        self.lead = 1.0  # how much longer implicit steps were than explicit ones when they won
        self.rival = np.inf  # cost per unit of time of the explicit steps before a trial
        self._tried_from: float | None = None
        self._seen = np.inf
        self._wait, self._patience = 0, PATIENT
        self._since = 0
        self.left = np.nan  # efficiency and step of the explicit method that was left
        self.left_step, self.lift = 1.0, 3.0
        self._turn, self._calm = 0, 1 if self.roomy else NEVER

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

        Stiff components trouble the explicit method's error long before the implicit one's, which
        only a trial shows: now and then a few implicit steps are taken, as long as they grow, and
        they stay if they cost less per unit of time than the explicit ones did.
        """
        if self.implicit:
            h, stays = self._stays_implicit(h, radius)
            if stays:
                return h, RODAS4
        if self.high:
            h, stays = self._stays_high(h, radius)
            if stays:
                return h, RODAS4 if self.implicit else DOP853
        reach = min(h, self.longest(radius))
        degree = choose_degree(reach * radius)
        stages = table()[degree].stages
        if self._fixed is not None:
            return reach, degree
        high = self._turns_high(reach, stages, radius)
        if high is not None:
            return high, DOP853
        if reach * radius > BRIEF and self._wait >= self._interval(stages * self.rhs):
            self._tries(h, stages * self.rhs / reach)
            return h, RODAS4
        return reach, degree

    def _tries(self, h: float, rival: float) -> None:
        self.implicit, self._since, self._wait = True, 0, 0
        self._tried_from = self._seen = h
        self.rival = rival

    def _stays_implicit(self, h: float, radius: float) -> tuple[float, bool]:
        """Return the next step and whether it is implicit."""
        if self._fixed is not None:
            return h, True
        if h > 1.2 * self._seen:  # still growing
            self._seen, self._wait = h, 0
        price = self.step / h
        if self._tried_from is None:
            if self._since < STAY or price <= self._explicit_price(h, radius):
                return h, True
        elif self._since >= 4 and price < 0.8 * self.rival:
            self.lead = max(h / self._tried_from * (self.lift if self.high else 1.0), 1.0)
            self._tried_from, self._patience, self._since = None, PATIENT, 0
            return h, True
        else:
            hopeless = self._wait >= 8 or price > 4 * self.rival
            if self._since < (TRIAL if hopeless else 3 * TRIAL):
                return h, True
            self._patience = min(2 * self._patience, MOST_PATIENT)
            h, self._tried_from = self._tried_from, None
        self.implicit, self._since, self._wait = False, 0, 0
        return h, False

    def _explicit_price(self, h: float, radius: float) -> float:
        """Return the cost per unit of time of explicit steps.

        They are shorter than the implicit ones by as much as they were before those, or the
        longest stable ones of order eight.
        """
        reach = min(h / self.lead, self.longest(radius))
        stages = table()[choose_degree(reach * radius)].stages
        return self.rhs * min(stages / reach, STAGES * radius / LENGTH)

    def declines(self, h: float, rest: float) -> bool:
        """Hear how long the first implicit step is and say whether the trial does not begin.

        It does not if that is too short to win, or if explicit steps all the rest of the way are
        cheaper than a trial.
        """
        if self._fixed is None:
            hopeful = self.step <= HOPEFUL * self.rival * h
            if not hopeful or TRIAL * self.step > self.rival * rest:
                self.implicit, self._tried_from = False, None
                return True
        self._seen = h
        return False

    def _interval(self, work: float) -> float:
        """Return after how many explicit steps a trial is cheap against them."""
        ratio = self.step / work
        return max(float(self._patience), (1.5 if ratio < 0.5 else 2.0) * TRIAL * ratio)

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
        work = STAGES * self.rhs
        tried = self._calm > SETTLE  # steps of order four
        if h > cap and tried and self.multistep and self._wait >= self._interval(work):
            self._tries(short, work / short)
            return short, True
        judged = self._compare(short, short / STAGES)
        if judged or (h > cap and self._turn >= self._calm):
            step = self.left_step if judged else float(np.sqrt(h * short)) / self.lift
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
        self._calm = min(2 * max(self._calm, SETTLE), CALMEST) if worse else SETTLE
        if not worse:
            self.left = np.nan
        return worse

    def _leave(self, step: float, h: float, stages: int, *, judged: bool) -> float:
        """Change between the explicit methods; a method that was judged better stays."""
        self.high = not self.high
        self.left = np.nan if judged else h / stages
        self.left_step = h
        self._turn = self._since = self._wait = 0
        return step
