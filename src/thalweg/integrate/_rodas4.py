"""One step of the linearly implicit method Rodas4 (order four, L-stable, six stages).

Coefficients: E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, section VI.4.
The Jacobian is minus the exact Hessian of the loss, so every system is symmetric.
"""

import numpy as np

from thalweg._core import Array
from thalweg.integrate._curvature import DenseCurvature, KrylovCurvature
from thalweg.integrate._field import Field

GAMMA = 0.25
A = (
    (1.544,),
    (0.9466785280815826, 0.2557011698983284),
    (3.314825187068521, 2.896124015972201, 0.9986419139977817),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950),
)
C = (
    (-5.6688,),
    (-2.430093356833875, -0.2063599157091915),
    (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
    (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
    (
        8.083246795921522,
        -7.981132988064893,
        -31.52159432874371,
        16.31930543123136,
        -6.058818238834054,
    ),
)


def rodas4_step(
    field: Field, y: Array, slope: Array, h: float, curvature: DenseCurvature | KrylovCurvature
) -> tuple[Array, float, Array, Array] | None:
    """Return the new point, its loss and slope, and the error estimate.

    ``None`` when ``I / (gamma h) + hessian`` is not positive definite: then `h` exceeds the time
    scale of an unstable direction and has to shrink.
    """
    solve = curvature.shifted(1.0 / (GAMMA * h))
    first = None if solve is None else solve(slope)
    if solve is None or first is None:
        return None
    stages = np.empty((6, len(y)))
    stages[0] = first
    point = y
    for i in range(1, 6):
        point = y + np.asarray(A[i - 1]) @ stages[:i] if i < 5 else point + stages[4]
        _, f = field.rhs(point)
        stage = solve(f + (np.asarray(C[i - 1]) @ stages[:i]) / h)
        if stage is None:
            return None
        stages[i] = stage
    new = point + stages[5]
    loss, f = field.rhs(new)
    return new, loss, f, stages[5]
