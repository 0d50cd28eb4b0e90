"""Figures of the rigorous mode: run with ``python benchmarks/rigor.py``.

Prints one line each for eigenvalue enclosures, the share of undecided conditions on the
well-conditioned corpus, and the followed starts with the time that their verification takes.
"""

import argparse
import itertools
import pathlib
import tempfile
import time

import numpy as np

import thalweg as tw
from thalweg.rigorous import certify_rigorous
from thalweg.rigorous._balls import matrix, precision, up
from thalweg.rigorous._spectrum import eigenvalues
from thalweg.verify import verify_proof

SHAPES = [(2, 2, 2), (3, 3, 3), (4, 3, 3, 2), (3, 2, 2, 2)]
STDS = (0.5, 0.75, 1.0)


def corpus(count, seed=0):
    """Well-conditioned random networks.

    Depth 1 to 4, widths 1 to 6 in any order, weights of scale 0.05 to 4, Gaussian targets or data
    with 2 to 9 more samples than inputs, raw and whitened, sum and mean.
    """
    rng = np.random.default_rng(seed)
    for _ in range(count):
        dims = tuple(int(d) for d in rng.integers(1, 7, size=int(rng.integers(2, 6))))
        scale = np.exp(rng.uniform(np.log(0.05), np.log(4.0)))
        if rng.random() < 0.5:
            p = tw.Problem.from_target(rng.normal(size=(dims[-1], dims[0])), dims=dims)
        else:
            m = dims[0] + int(rng.integers(2, 10))
            X, Y = rng.normal(size=(m, dims[0])), rng.normal(size=(m, dims[-1]))
            metric, loss = str(rng.choice(["raw", "whitened"])), str(rng.choice(["sum", "mean"]))
            p = tw.Problem.from_data(X, Y, dims[1:-1], metric=metric, loss=loss)
        yield p, [scale * rng.normal(size=(b, a)) for a, b in itertools.pairwise(dims)]


def enclosures():
    """Time the eigenvalue enclosure at 128 bits."""
    rng = np.random.default_rng(0)
    for order in (6, 20, 60, 100):
        grid = rng.normal(size=(order, order))
        with precision(128):
            balls = matrix(grid + grid.T)
            seconds = []
            for _ in range(9):
                begin = time.perf_counter()
                found = eigenvalues(balls)
                seconds.append(time.perf_counter() - begin)
            radius = max(up(ball.rad()) for ball in found)
            top = max(abs(float(ball.mid())) for ball in found)
        best = 1e3 * min(seconds)
        print(f"eigenvalues, order {order:3}: {best:7.2f} ms, radius {radius / top:.1e} relative")


def undecided(count):
    """Count conditions that no precision separates, and disagreements with floating point."""
    conditions = open_ones = touched = differ = 0
    for p, w in corpus(count):
        c, f = certify_rigorous(p, w), tw.certify(p, w)
        states = [item.holds for item in c.hypotheses]
        conditions += len(states)
        open_ones += states.count(None)
        touched += None in states
        differ += c.converges_to_global is not f.converges_to_global
    print(
        f"corpus of {count}: {open_ones} of {conditions} conditions undecided "
        f"({100 * open_ones / conditions:.3f} %), in {touched} networks; "
        f"{differ} verdicts differ from floating point"
    )


def followed():
    """Follow three starts of each shape and verify the proofs."""
    for dims in SHAPES:
        for seed in range(3):
            p = tw.Problem.from_target(np.arange(min(dims[0], dims[-1]), 0, -1.0), dims=dims)
            rng = np.random.default_rng(seed)
            scale = STDS[seed]
            w = [scale * rng.normal(size=(b, a)) for a, b in itertools.pairwise(dims)]
            begin = time.perf_counter()
            c = certify_rigorous(p, w, follow=True)
            seconds = time.perf_counter() - begin
            with tempfile.TemporaryDirectory() as folder:
                file = c.save_proof(pathlib.Path(folder) / "proof.json")
                begin = time.perf_counter()
                verified = verify_proof(file).verified
                check = time.perf_counter() - begin
                size = file.stat().st_size
            tube = c.proof["tube"]
            how = f"tube radius {c.tube_radius:.1e} at t = {c.entered_at:.3f}" if tube else c.rule
            steps = len(tube["steps"]) if tube else 0
            print(
                f"{'-'.join(map(str, dims))} std {scale}: {c.status} in {seconds:.2f} s, {how}, "
                f"{steps} steps; verified {verified} in {check:.1f} s ({size // 1024} KiB)"
            )


def main():
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=int, default=2000, metavar="N", help="size of the corpus")
    options = parser.parse_args()
    enclosures()
    undecided(options.corpus)
    followed()


if __name__ == "__main__":
    main()
