"""Derives the coefficients of the stabilized explicit method of order four.

The method has the structure of ROCK4 (A. Abdulle, SIAM J. Sci. Comput. 23 (2002) 2041-2054): a
three-term recurrence of ``m`` stages, whose polynomials are orthogonal for the weight
``w(x)^2 / sqrt(1 - x^2)``, followed by a finishing method of four stages with stability
polynomial ``w``. The table is derived here from the order conditions, not copied:

1. For every ``m`` the quartic ``w`` (two conjugate pairs of zeros), the image ``a`` of ``z = 0``
   and the slope ``d = dx/dz`` are found so that ``R = w P_m`` agrees with ``exp`` to order four at
   ``z = 0``, stays below 0.95 in modulus on the rest of the interval, and ``d`` is smallest.
2. The ten coefficients of the finishing method satisfy the eight order conditions of the
   composition; the two that stay free make them smallest.
3. The embedded method of order three has weight ``3 / s^2`` on the derivative at the new point.

Run ``python src/native/generate_rock4.py`` from the root; it rewrites
``src/thalweg/integrate/rock4.npy`` and ``src/native/rock4_coefficients.inc``.
"""

from pathlib import Path

import numpy as np
from scipy.optimize import minimize

ROOT = Path(__file__).resolve().parents[2]
DAMPING = 0.95
FINISH = 4
MAX_STAGES = 152
FINISH_GUESS = np.array(  # the solution of least norm found from random starts at 40 stages
    [0.0393, 0.3139, 0.2091, 0.1126, 0.2803, -0.1725, 0.4911, -0.0387, 0.1059, 0.6325]
)


def degrees():
    """Return the stage counts of the table: all small ones, then about seven per cent apart."""
    out = list(range(5, 25))
    while out[-1] < MAX_STAGES:
        out.append(min(MAX_STAGES, max(out[-1] + 1, round(out[-1] * 1.066))))
    return out


class Polynomial:
    """``R(x) = w(x) P_m(x)``, normalized to one at ``x = a``."""

    def __init__(self, parameters, stages):
        scale = 1.0 / stages**2
        re1, im1, re2, im2, beyond, slope = parameters
        self.roots = 1.0 + scale * np.array([re1 + 1j * im1, re2 + 1j * im2])
        self.a = 1.0 + scale * beyond
        self.d = scale * slope
        self.m = stages - FINISH
        count = self.m + 6
        nodes = np.cos((np.arange(count) + 0.5) * np.pi / count)
        self.alpha, self.beta = self._stieltjes(nodes, self.quartic(nodes) ** 2)

    def quartic(self, x):
        """``w``, kept factored: the expanded form loses five digits near ``x = 1``."""
        out = np.ones_like(x)
        for root in self.roots:
            out = out * ((x - root.real) ** 2 + root.imag**2)
        return out

    def _stieltjes(self, nodes, weight):
        before, now = np.zeros_like(nodes), np.ones_like(nodes)
        norm, alpha, beta = 1.0, [], []
        for j in range(self.m):
            mass = weight * now**2
            total = mass.sum()
            alpha.append((mass * nodes).sum() / total)
            beta.append(0.0 if j == 0 else total / norm)
            norm = total
            before, now = now, (nodes - alpha[-1]) * now - beta[-1] * before
            size = np.abs(now).max()  # rescaled, so that long recurrences do not underflow
            before, now, norm = before / size, now / size, norm / size**2
        return np.array(alpha), np.array(beta)

    def recurrence(self):
        """Coefficients ``mu_j, kappa_j`` of ``K_j = mu_j h f + (1 + kappa_j) K - kappa_j K``."""
        mu, kappa = np.empty(self.m), np.empty(self.m)
        ratio = 0.0  # P_{j-1}(a) / P_j(a)
        for j in range(self.m):
            grown = (self.a - self.alpha[j]) - self.beta[j] * ratio
            mu[j] = self.d / grown
            kappa[j] = self.beta[j] * ratio / grown
            ratio = 1.0 / grown
        return mu, kappa

    def values(self, z):
        """``R`` at points ``z``."""
        mu, kappa = self.recurrence()
        before, now = np.ones_like(z), np.ones_like(z)
        for j in range(self.m):
            before, now = now, mu[j] * z * now + (1 + kappa[j]) * now - kappa[j] * before
        x = self.a + self.d * z
        return now * self.quartic(x) / self.quartic(np.array(self.a))

    def series(self):
        """Taylor coefficients of ``w(z)/w(0)`` and of ``P_m(z)`` to order four."""
        mu, kappa = self.recurrence()
        before = np.zeros(5)
        before[0] = 1.0
        now = before.copy()
        for j in range(self.m):
            up = np.concatenate([[0.0], now[:-1]])
            before, now = now, mu[j] * up + (1 + kappa[j]) * now - kappa[j] * before
        w = np.zeros(5)
        w[0] = 1.0
        for root in self.roots:
            gap = self.a - root.real
            size = gap**2 + root.imag**2
            factor = np.array([1.0, 2 * gap * self.d / size, self.d**2 / size])
            w = np.convolve(w, factor)[:5]
        return w, now


EXPONENTIAL = np.array([1.0, 1.0, 1 / 2, 1 / 6, 1 / 24])


def order_defect(polynomial):
    """Defects of the Taylor coefficients of ``R`` against those of ``exp``."""
    w, p = polynomial.series()
    return (np.convolve(w, p)[1:5] / EXPONENTIAL[1:]) - 1.0


def ripple_points(stages):
    """Angles at which the modulus is watched: densely near ``x = 1``, by lobes further away."""
    near = np.linspace(0.0, 7 * np.pi, 90) / stages
    far = np.linspace(near[-1], np.pi, 6 * stages)[1:] if stages > 8 else []
    angles = np.concatenate([near[near < np.pi], far, [np.pi]])
    return np.cos(angles)


def find_polynomial(stages, guess):
    """Solve step 1 for one stage count from a guess of the scaled parameters."""
    points = ripple_points(stages)

    def ripple(parameters):
        polynomial = Polynomial(parameters, stages)
        return DAMPING**2 - polynomial.values((points - polynomial.a) / polynomial.d) ** 2

    result = minimize(
        lambda q: q[5],  # the smallest slope is the longest interval
        guess,
        method="SLSQP",
        constraints=[
            {"type": "eq", "fun": lambda q: order_defect(Polynomial(q, stages))},
            {"type": "ineq", "fun": ripple},
        ],
        options={"maxiter": 60, "ftol": 1e-13},
    )
    return sharpen(result.x, stages)


def sharpen(parameters, stages):
    """Remove what is left of the order defect by Newton's method in the four root coordinates."""
    q = np.array(parameters)
    for _ in range(6):
        defect = order_defect(Polynomial(q, stages))
        if np.abs(defect).max() < 2e-15:
            break
        jacobian = np.empty((4, 4))
        for k in range(4):
            step = 1e-6 * max(1.0, abs(q[k]))
            up, down = q.copy(), q.copy()
            up[k] += step
            down[k] -= step
            jacobian[:, k] = (
                order_defect(Polynomial(up, stages)) - order_defect(Polynomial(down, stages))
            ) / (2 * step)
        q[:4] -= np.linalg.solve(jacobian, defect)
    return q


def elementary_weights(mu, kappa):
    """Elementary weights of the recurrence for the eight trees up to order four.

    Order of the trees: ``t, [t], [tt], [[t]], [ttt], [t[t]], [[tt]], [[[t]]]``.
    """
    before, now = np.zeros(8), np.zeros(8)
    for j in range(len(mu)):
        c, chain, square, long = now[0], now[1], now[2], now[3]
        slope = np.array([1.0, c, c**2, chain, c**3, c * chain, square, long])
        before, now = now, mu[j] * slope + (1 + kappa[j]) * now - kappa[j] * before
    return now


CONDITIONS = np.array([1, 1 / 2, 1 / 3, 1 / 6, 1 / 4, 1 / 8, 1 / 12, 1 / 24])


def finishing_stages(below, start):
    """Return ``c, Ac, Ac^2, AAc`` at the four finishing stages; `below` is a21, a31, ... a43."""
    matrix = np.zeros((FINISH, FINISH))
    matrix[np.tril_indices(FINISH, -1)] = below
    c = start[0] + matrix.sum(axis=1)
    chain = start[1] + matrix @ c
    square = start[2] + matrix @ c**2
    return c, chain, square, start[3] + matrix @ chain


def condition_defect(unknowns, start):
    """Defects of the eight order conditions of the composition."""
    c, chain, square, long = finishing_stages(unknowns[4:], start)
    columns = [np.ones(FINISH), c, c**2, chain, c**3, c * chain, square, long]
    return start + np.array(columns) @ unknowns[:4] - CONDITIONS


def find_finish(start, guess):
    """Solve step 2: ``b1..b4, a21, a31, a32, a41, a42, a43`` of least norm."""
    result = minimize(
        lambda q: q @ q,
        guess,
        jac=lambda q: 2 * q,
        method="SLSQP",
        constraints=[{"type": "eq", "fun": condition_defect, "args": (start,)}],
        options={"maxiter": 200, "ftol": 1e-12},
    )
    q = result.x
    for _ in range(8):  # minimum-norm Newton steps to full accuracy
        jacobian = np.empty((8, 10))
        for k in range(10):
            step = np.zeros(10)
            step[k] = 1e-5
            up, down = condition_defect(q + step, start), condition_defect(q - step, start)
            jacobian[:, k] = (up - down) / 2e-5
        q = q - np.linalg.lstsq(jacobian, condition_defect(q, start), rcond=None)[0]
    return q


def find_embedded(unknowns, start, stages):
    """Solve step 3: five weights, the last one on the derivative at the new point."""
    c, chain, _, _ = finishing_stages(unknowns[4:], start)
    last = 3.0 / stages**2
    rows = np.array([np.ones(FINISH), c, c**2, chain])
    new_point = last * np.array([1.0, 1.0, 1.0, 1 / 2])
    weights = np.linalg.solve(rows, CONDITIONS[:4] - start[:4] - new_point)
    return np.append(weights, last)


def derive():
    """Return one row per degree: stages, finish (10), embedded (5), then mu and kappa."""
    first = np.array([-1.32, 20.8, -14.3, 7.76, 0.31, 6.04])
    all_degrees = degrees()
    rows = {}
    for sweep in ([s for s in all_degrees if s >= 12], [s for s in all_degrees if s < 12][::-1]):
        parameters = first
        finish = rows[12][1:11] if 12 in rows else FINISH_GUESS
        for stages in sweep:
            parameters = find_polynomial(stages, parameters)
            mu, kappa = Polynomial(parameters, stages).recurrence()
            start = elementary_weights(mu, kappa)
            finish = find_finish(start, finish)
            assert np.abs(condition_defect(finish, start)).max() < 1e-11, stages
            embedded = find_embedded(finish, start, stages)
            polynomial = Polynomial(parameters, stages)
            length = (1 + polynomial.a) / polynomial.d
            head = np.concatenate([[stages], finish, embedded, [length]])
            rows[stages] = np.concatenate([head, mu, kappa])
            print(
                f"{stages:4d} stages, interval {length / stages**2:.4f} s^2, "
                f"largest finishing coefficient {np.abs(finish).max():.3f}"
            )
    return [rows[stages] for stages in all_degrees]


def main():
    """Write both tables."""
    rows = derive()
    np.save(ROOT / "src/thalweg/integrate/rock4.npy", np.concatenate(rows))
    lines = [
        "// Written by generate_rock4.py. One row per degree, one after the other:",
        "// stages s; b1..b4, a21, a31, a32, a41, a42, a43; embedded b1..b5; length of the",
        "// stability interval; then mu_1..mu_m and kappa_1..kappa_m with m = s - 4.",
        f"constexpr int rock4_degrees = {len(rows)};",
        "constexpr double rock4_table[] = {",
    ]
    for row in rows:
        lines.append(",".join(float(value).hex() for value in row) + ",")
    lines.append("};")
    text = "\n".join(lines) + "\n"
    (ROOT / "src/native/rock4_coefficients.inc").write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
