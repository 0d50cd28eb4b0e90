"""What is known of a problem before any weights: sizes, spectra, assumptions."""

import dataclasses
import functools
import hashlib
from typing import Any

import numpy as np

from thalweg._core import Array, Result, Tolerance, numerical_rank
from thalweg.problem._assumptions import Assumptions, check_assumptions
from thalweg.problem._reduction import Moments


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ProblemFacts(Result):
    """Facts about a least-squares problem and its network; the base of `Problem`.

    Attributes
    ----------
    dims
        ``(d_x, d_1, ..., d_H, d_y)``.
    metric, loss_name
        ``"raw"`` or ``"whitened"``; ``"sum"`` or ``"mean"`` (the sum divided by `n_samples`).
    n_samples
        Number of samples ``m``.
    tolerance
        Thresholds by which ranks and ties are decided.
    """

    dims: tuple[int, ...]
    metric: str
    loss_name: str
    n_samples: int
    tolerance: Tolerance
    _moments: Moments
    _tables: tuple[Array, Array] | None = None

    @property
    def depth(self) -> int:
        """Number of weight matrices ``L = H + 1``."""
        return len(self.dims) - 1

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        return sum(self.dims[j] * self.dims[j + 1] for j in range(self.depth))

    @property
    def moments(self) -> Moments:
        """The reduction of the data: all that the flow depends on besides sizes and metric."""
        return self._moments

    @property
    def rank(self) -> int:
        """Numerical rank of ``X``."""
        return len(self._moments.scale)

    @property
    def input_singular_values(self) -> Array:
        """The nonzero singular values of ``X``, largest first."""
        return self._moments.scale

    @property
    def input_basis(self) -> Array:
        """Left singular vectors of ``X`` that belong to them, shape ``(d_x, rank)``."""
        return self._moments.basis

    @property
    def singular_values(self) -> Array:
        """The ``min(d_y, d_x)`` singular values of the fitted target ``Y V_1``, largest first.

        Zeros are appended where ``X`` has lower rank than that. Not scaled by ``loss="mean"``.
        """
        count = min(self.dims[0], self.dims[-1])
        out = np.zeros(count)
        out[: min(count, len(self._moments.sigma))] = self._moments.sigma[:count]
        return out

    @property
    def loss_scale(self) -> float:
        """Factor in front of the sum of squares: 1, or ``1 / n_samples`` for ``loss="mean"``."""
        return 1.0 if self.loss_name == "sum" else 1.0 / self.n_samples

    @property
    def irreducible_loss(self) -> float:
        """The part of the loss that no linear map can remove."""
        return self.loss_scale * self._moments.residual

    @property
    def max_rank(self) -> int:
        """Largest rank of the end-to-end map, ``min(dims)`` (the bottleneck)."""
        return min(self.dims)

    @property
    def target_rank(self) -> int:
        """Numerical rank of the fitted target: how many directions there are to learn."""
        sigma = self._moments.sigma
        return numerical_rank(sigma, self._moments.target.shape, self.tolerance)

    @property
    def condition(self) -> float:
        """Condition number of ``X`` on its range."""
        return float(self._moments.scale[0] / self._moments.scale[-1])

    @property
    def clock_unit(self) -> str:
        """What one unit of flow time means, for axes."""
        return f"dW/dt = -grad of the {self.loss_name} loss ({self.metric} metric)"

    def tables(self) -> tuple[Array, Array] | None:
        """Return ``X (d_x, m)`` and ``Y (d_y, m)`` as given, or ``None`` if they were not kept."""
        return self._tables

    def critical_value(self, learned: Any) -> float:
        """Return the reducible loss at critical points that learned these directions (Spec 4.2)."""
        rest = self._moments.sigma.copy()
        rest[[i for i in learned if i < len(rest)]] = 0.0
        return self.loss_scale * 0.5 * float(rest @ rest)

    @functools.cached_property
    def assumptions(self) -> Assumptions:
        """Assumptions 1-3 of the paper, with the numbers that decide them."""
        return check_assumptions(self._moments, self.dims, self.n_samples, self.tolerance)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Short hash of everything that the flow depends on."""
        digest = hashlib.sha256(repr((self.dims, self.metric, self.loss_name)).encode())
        for part in (self._moments.basis, self._moments.scale, self._moments.target):
            digest.update(np.ascontiguousarray(part).tobytes())
        digest.update(repr((self._moments.residual, self.n_samples)).encode())
        return digest.hexdigest()[:16]

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``."""
        sigma = ", ".join(f"{value:.4g}" for value in self.singular_values[:8])
        more = ", ..." if len(self.singular_values) > 8 else ""
        failing = [item.name for item in self.assumptions if not item.holds]
        return [
            ("dims", " -> ".join(map(str, self.dims)) + f"  (depth {self.depth})"),
            ("samples", str(self.n_samples)),
            ("parameters", str(self.n_parameters)),
            ("metric, loss", f"{self.metric}, {self.loss_name}"),
            ("rank of X", f"{self.rank} of {self.dims[0]} (condition {self.condition:.3g})"),
            ("singular values", sigma + more),
            ("irreducible loss", f"{self.irreducible_loss:.6g}"),
            ("assumptions", "all hold" if not failing else "fail: " + ", ".join(failing)),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the facts about the problem as JSON types (not the data)."""
        return {
            "type": "Problem",
            "dims": list(self.dims),
            "depth": self.depth,
            "n_parameters": self.n_parameters,
            "n_samples": self.n_samples,
            "metric": self.metric,
            "loss_name": self.loss_name,
            "rank": self.rank,
            "max_rank": self.max_rank,
            "condition": self.condition,
            "singular_values": self.singular_values.tolist(),
            "irreducible_loss": self.irreducible_loss,
            "assumptions": self.assumptions.to_dict(),
            "fingerprint": self.fingerprint,
        }
