"""Times LatentKit's projections onto balls beside NumPy on this machine.

NumPy's side has the same balls, vectorised over groups, with one sort for all: how they are usually written. Both sides
project Gaussian weights in Float32, in alternating rounds. The table has the lowest times, as what else the machine does
only adds to them. NumPy works on one thread.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

BENCH = pathlib.Path(__file__).resolve().parent.parent / ".build/release/bench"
SIZES = [(512, 2944), (4096, 4096)]


def thresholds(sizes, radii):
    """The tau of each row of `sizes` for which the sum of max(size - tau, 0) is the row's radius."""
    ordered = -np.sort(-sizes, axis=1)
    excess = np.cumsum(ordered, axis=1, dtype=np.float64) - radii[:, None]
    counts = np.arange(1, sizes.shape[1] + 1)
    active = np.maximum((ordered * counts > excess).sum(axis=1), 1)
    return np.maximum(excess[np.arange(len(sizes)), active - 1] / active, 0)


def shrink(weights, tau):
    return np.sign(weights) * np.maximum(np.abs(weights) - tau, 0).astype(weights.dtype)


def l1(weights, radius):
    return shrink(weights, thresholds(np.abs(weights).reshape(1, -1), np.array([radius]))[0])


def l11(weights, radius):
    sizes = np.abs(weights)
    norms = sizes.sum(axis=1, dtype=np.float64)
    own = np.maximum(norms - thresholds(norms[None], np.array([radius]))[0], 0)
    return shrink(weights, thresholds(sizes, own)[:, None])


def l12(weights, radius):
    sizes = np.abs(weights)
    ordered = -np.sort(-sizes, axis=1)
    sums = np.cumsum(ordered, axis=1, dtype=np.float64)
    counts = np.arange(1, sizes.shape[1] + 1)
    multiplier, rows = 0.0, np.arange(len(sizes))
    while True:  # Newton's method for the one multiplier
        active = np.maximum((ordered * (1 + multiplier * counts) > multiplier * sums).sum(axis=1), 1)
        s = sums[rows, active - 1] / (1 + multiplier * active)
        squares = s @ s
        step = squares * (np.sqrt(squares) / radius - 1) / (s * s * active / (1 + multiplier * active)).sum()
        if step <= 1e-12 * multiplier:
            return shrink(weights, (multiplier * s)[:, None])
        multiplier += step


def l21(weights, radius):
    norms = np.sqrt(np.square(weights, dtype=np.float64).sum(axis=1))
    tau = thresholds(norms[None], np.array([radius]))[0]
    return weights * np.maximum(1 - tau / norms, 0).astype(weights.dtype)[:, None]


def norm(ball, weights):
    if ball == "l21":
        return np.sqrt(np.square(weights, dtype=np.float64).sum(axis=1)).sum()
    norms = np.abs(weights).sum(axis=1, dtype=np.float64)
    return np.sqrt(norms @ norms) if ball == "l12" else norms.sum()


def time_numpy(rows, columns, options):
    weights = np.random.default_rng(1).standard_normal((rows, columns), dtype=np.float32)
    groups = weights if options.groups == "rows" else weights.T
    reports = {}
    for project in (l1, l11, l12, l21):
        radius, seconds = options.share * norm(project.__name__, groups), []
        for _ in range(options.repeats):
            start = time.perf_counter()
            result = project(groups, radius)
            seconds.append(time.perf_counter() - start)
        reports[project.__name__] = (1000 * min(seconds), float((result == 0).mean()))
    return reports


def time_ours(rows, columns, options):
    arguments = [str(BENCH), "projections", "--rows", str(rows), "--columns", str(columns)]
    arguments += ["--groups", options.groups, "--share", str(options.share)]
    if options.threads:
        arguments += ["--threads", str(options.threads)]
    result = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} failed: {result.stderr.strip()}")
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    return {line["ball"]: (line["milliseconds"], line["zeros"]) for line in lines}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", choices=["rows", "columns"], default="columns")
    parser.add_argument("--share", type=float, default=0.1, help="the radius as a share of the norm")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3, help="of NumPy, in each round")
    parser.add_argument("--threads", type=int, help="of LatentKit (else all cores)")
    options = parser.parse_args()
    if not BENCH.exists():
        raise SystemExit("there is no .build/release/bench; run `make bench` first")
    threads = options.threads or os.cpu_count()
    print(f"{options.groups}, radius {options.share} of the norm; NumPy {np.__version__}, LatentKit on {threads} threads\n")
    print("| matrix      | ball | LatentKit, ms | NumPy, ms | times faster | zeros, % |")
    print("|-------------|------|--------------:|----------:|-------------:|---------:|")
    for rows, columns in SIZES:
        sides = {time_ours: [], time_numpy: []}
        for turn in range(options.rounds):
            for side in list(sides) if turn % 2 == 0 else reversed(list(sides)):
                sides[side].append(side(rows, columns, options))
        for ball in ("l1", "l11", "l12", "l21"):
            ours, numpy = (min(report[ball][0] for report in sides[side]) for side in sides)
            zeros = [sides[side][0][ball][1] for side in sides]
            # Both draw their own weights of one distribution: the share of zeros agrees but for chance.
            if abs(zeros[0] - zeros[1]) > 0.01:
                print(f"{ball}: {zeros[0]:.1%} zeros here, {zeros[1]:.1%} with NumPy", file=sys.stderr)
            print(
                f"| {f'{rows}x{columns}':11} | {ball:4} | {ours:13.2f} | {numpy:9.1f} | {numpy / ours:12.1f} "
                f"| {100 * zeros[0]:8.1f} |"
            )


if __name__ == "__main__":
    main()
