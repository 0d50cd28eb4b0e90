"""The article's Figure 2, a geometric vision of the loss landscape, drawn from computed data.

The plane goes through the saddle where nothing is learned (r = 0) and through saddles where one of
two directions is (r = 1); it contains four global minima (r = 2). The flow never leaves it from
these starts, so the two runs lie on the surface.
"""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

import thalweg as tw
from thalweg.landscape import plane_slice
from thalweg.plot import CYCLE, SETTINGS

SIGMA = (2.0, 1.4)
LOOKS = {"strict_saddle": ("^", CYCLE[0]), "global_minimum": ("o", CYCLE[2])}

problem = tw.Problem.from_target(SIGMA, dims=(2, 2, 2))


def weights(x: float, y: float) -> list[np.ndarray]:
    """Return balanced diagonal layers whose map has the strengths x² σ₁ and y² σ₂."""
    return 2 * [np.diag([x, y] * np.sqrt(SIGMA))]


places = [weights(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
plane = plane_slice(
    problem, weights(0, 0), weights(1, 0), toward=weights(0, 1), marks=places, margin=0.15
)
starts = [weights(-0.04, -0.005), weights(0.02, -1.17)]
runs = [tw.flow(problem, start) for start in starts]
atlas = list(tw.atlas(problem))
levels = [level.loss for level in atlas]

halo = [withStroke(linewidth=3, foreground="white")]

with matplotlib.rc_context(SETTINGS):
    figure = Figure(figsize=(9.5, 7.4))
    ax = figure.add_axes((-0.04, -0.03, 0.98, 1.0), projection="3d", computed_zorder=False)
    x, y = np.meshgrid(plane.x, plane.y)
    loss = plane.reducible_loss
    ax.plot_surface(
        x, y, loss, cmap="viridis", rcount=121, ccount=121, linewidth=0, antialiased=False, zorder=1
    )
    ax.contour(x, y, loss, levels=levels[1:-1], colors="white", linewidths=1.2, zorder=2)
    for run, style in zip(runs, ("-", "--"), strict=True):
        path = plane.project([*map(run.weights_at, run.t), run.final])
        below = [*run.reducible_loss, run.limit.verdict.loss]
        ax.plot(path.x, path.y, below, style, color="black", linewidth=2.6, zorder=4)
        passed = " -> ".join(f"r = {len(p.learned)}" for p in run.plateaus)
        off = path.distance.max()
        print(f"run: {passed} -> {run.limit.verdict.kind}, at most {off:.1e} off the plane")
    for at, across, verdict in zip(plane.marks.x, plane.marks.y, plane.verdicts, strict=True):
        marker, colour = LOOKS[verdict.kind]
        place = (at, across, verdict.loss)
        ax.plot(*place, marker=marker, color=colour, markersize=11, mec="white", zorder=5)
        ax.text(*place, f"   r = {verdict.rank}\n", zorder=6, path_effects=halo)
    words = [f"{level.loss:.3g}  (r = {len(level.learned)})" for level in atlas]
    ax.set_zticks(levels, words)
    ax.set(xlabel="towards {σ₁}", ylabel="towards {σ₂}", zlim=(0.0, loss.max()))
    ax.tick_params("z", pad=14)
    ax.set_box_aspect((1.0, 0.85, 0.5), zoom=0.97)
    ax.view_init(elev=56, azim=-56)
    figure.text(
        0.03, 0.95, "A loss landscape with all of its critical values", fontsize=14, weight="bold"
    )
    figure.text(0.03, 0.92, "Two layers, two directions. White: critical levels. Black: two runs.")
    figure.savefig("figure2.png", dpi=110)
