"""Small starts pass saddle after saddle: when, and what has been learned there."""

import thalweg as tw

problem = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 3))
for scale in (1e-1, 1e-2, 1e-3, 1e-4):
    run = tw.flow(problem, tw.init.gaussian(problem, scale=scale, rng=0))
    stays = ", ".join(f"{p.learned}: {p.t_enter:.2f}-{p.t_exit:.2f}" for p in run.plateaus)
    print(f"scale {scale:g}: {stays}")
