"""Times the classification of critical points against Hessian tools and writes a page.

The question is the same for all: which kind of critical point is this? thalweg answers from ranks,
with a witness. The others answer from the smallest eigenvalue of the Hessian: numpy's `eigvalsh` of
the dense matrix, and curvlinops' operator with SciPy's `eigsh`, which cannot tell a zero eigenvalue
from a small negative one and says nothing about non-strict saddles.
"""

import argparse
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy.sparse.linalg import ArpackError, eigsh

import thalweg as tw

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance_classify.md"
CASES = [((12, 12, 12), 5), ((30, 30, 30), 12), ((50, 50, 50), 20), ((100, 100, 100), 40)]
CASES += [((12, 12, 12, 12), 5), ((40, 40, 40, 40), 15), ((80, 80, 80, 80), 30)]
DENSE_LIMIT = 5000
REPEATS = 5


def median_time(call, repeats=REPEATS):
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        answer = call()
        times.append(time.perf_counter() - began)
        if times[0] > 5.0:
            break
    return float(np.median(times)), answer


def operator_of_curvlinops(p, w):
    import torch
    from curvlinops import HessianLinearOperator

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    layers = [torch.nn.Linear(*item.shape[::-1], bias=False) for item in w]
    for layer, item in zip(layers, w, strict=True):
        layer.weight.data = torch.tensor(item)
    model = torch.nn.Sequential(*layers)
    X = torch.eye(p.dims[0])
    Y = torch.tensor(p.flow_data()[0].T.copy())
    # The mean over samples and targets, times their number over two, is the loss of the problem.
    mean = HessianLinearOperator(
        model, torch.nn.MSELoss(), list(model.parameters()), [(X, Y)], check_deterministic=False
    )
    return mean.to_scipy(), 0.5 * X.shape[0] * Y.shape[1]


def smallest_by_curvlinops(p, w):
    operator, factor = operator_of_curvlinops(p, w)
    try:
        value = eigsh(operator, k=1, which="SA", maxiter=300, tol=1e-6, return_eigenvectors=False)
    except ArpackError as error:
        return f"no convergence ({type(error).__name__})"
    return factor * float(value[0])


def row(dims, rank, kind):
    sigma = np.linspace(5.0, 1.0, dims[-1])
    p = tw.Problem.from_target(sigma, dims=dims)
    w = tw.critical_point(p, range(rank), kind, rng=0)
    own, verdict = median_time(lambda: tw.classify(p, w))
    assert verdict.kind == kind, verdict.message
    cells = ["-".join(map(str, dims)), str(p.n_parameters), kind.replace("_", " "), f"{own:.3f} s"]
    if p.n_parameters <= DENSE_LIMIT:
        dense, values = median_time(lambda: np.linalg.eigvalsh(p.hessian(w).to_dense()))
        cells += [f"{dense / own:.3g}", f"{values[0]:.2g}"]
    else:
        cells += ["matrix too large", ""]
    peer, value = median_time(lambda: smallest_by_curvlinops(p, w))
    shown = value if isinstance(value, str) else f"{value:.2g}"
    return [*cells, f"{peer / own:.3g}", shown]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    rows = []
    for dims, rank in CASES:
        for kind in ("strict_saddle", "non_strict_saddle"):
            if kind == "strict_saddle" or len(dims) > 3:
                rows.append(row(dims, rank, kind))
                print(" | ".join(rows[-1]), flush=True)
    names = ("numpy", "scipy", "torch", "curvlinops-for-pytorch")
    head = (
        "# Classification against Hessian tools\n\n"
        "How long it takes to say which kind of critical point given weights are. The columns of "
        "the others are their time divided by thalweg's, and the smallest eigenvalue that they "
        "answer with; at a non-strict saddle it is zero up to their accuracy, and only the rule "
        "tells it from a strict one. thalweg's time includes the witness and the extreme "
        "eigenvalues. Written by `python benchmarks/classify_vs_peers.py --write`; one thread, "
        f"medians of {REPEATS}.\n\n"
        f"Python {platform.python_version()}; thalweg {tw.__version__}; "
        + "; ".join(f"{name} {version(name)}" for name in names)
        + ".\n\n| layers | weights | kind | thalweg | dense eigvalsh / thalweg | its answer "
        "| curvlinops + eigsh / thalweg | its answer |\n|---|---:|---|---:|---:|---:|---:|---:|\n"
    )
    if options.write:
        PAGE.write_text(head + "".join(f"| {' | '.join(item)} |\n" for item in rows), "utf-8")


if __name__ == "__main__":
    main()
