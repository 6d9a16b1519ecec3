"""Times LatentKit's projections onto balls beside NumPy on this machine.

NumPy has the same balls twice, vectorised over groups: with one sort for all, as they are usually written, and with the algorithm of
LatentKit, which drops the weights that a threshold zeroes and asks again until none drops out. NumPy works on one thread; LatentKit
is timed on one thread, too, so that algorithm, language and threads can be told apart. l2,1 has a threshold of few values, so
that both of NumPy's are about the same there. All project Gaussian weights in Float32, in alternating rounds. The table
has the lowest times, as what else the machine does only adds to them.
"""

import argparse
import functools
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

BENCH = pathlib.Path(__file__).resolve().parent.parent / ".build/release/bench"
SIZES = [(512, 2944), (4096, 4096)]


def sort_thresholds(sizes, radii):
    """The tau of each row of `sizes` for which the sum of max(size - tau, 0) is the row's radius."""
    ordered = -np.sort(-sizes, axis=1)
    excess = np.cumsum(ordered, axis=1, dtype=np.float64) - radii[:, None]
    counts = np.arange(1, sizes.shape[1] + 1)
    active = np.maximum((ordered * counts > excess).sum(axis=1), 1)
    return np.maximum(excess[np.arange(len(sizes)), active - 1] / active, 0)


def shrink(weights, tau):
    return np.sign(weights) * np.maximum(np.abs(weights) - tau, 0).astype(weights.dtype)


def filtered(sizes, radii):
    """The same thresholds without sorting: from all values, then from those above, until none drops out."""
    if len(sizes) == 1:
        left = sizes[0]
        while True:
            tau = max((left.sum(dtype=np.float64) - radii[0]) / max(left.size, 1), 0)
            above = left[left > tau]
            if above.size == left.size or above.size == 0:
                return np.array([tau])
            left = above
    active, count, tau = np.ones(sizes.shape, bool), np.full(len(sizes), sizes.shape[1]), 0
    while True:
        found = (np.where(active, sizes, 0).sum(axis=1, dtype=np.float64) - radii) / np.maximum(count, 1)
        tau = np.where(count > 0, np.maximum(found, 0), tau)
        active &= sizes > tau[:, None]
        now = active.sum(axis=1)
        if (now == count).all():
            return tau
        count = now


def l1(weights, radius, thresholds):
    return shrink(weights, thresholds(np.abs(weights).reshape(1, -1), np.array([radius]))[0])


def l11(weights, radius, thresholds):
    sizes = np.abs(weights)
    norms = sizes.sum(axis=1, dtype=np.float64)
    own = np.maximum(norms - thresholds(norms[None], np.array([radius]))[0], 0)
    return shrink(weights, thresholds(sizes, own)[:, None])


def sums_above(sizes):
    """A function of the multiplier: for each group how many values are above its threshold, and their sum, by one sort."""
    ordered = -np.sort(-sizes, axis=1)
    sums = np.cumsum(ordered, axis=1, dtype=np.float64)
    counts, rows = np.arange(1, sizes.shape[1] + 1), np.arange(len(sizes))

    def above(multiplier):
        active = np.maximum((ordered * (1 + multiplier * counts) > multiplier * sums).sum(axis=1), 1)
        return active, sums[rows, active - 1]

    return above


def filtered_sums_above(sizes):
    """The same without sorting."""

    def above(multiplier):
        active, count = np.ones(sizes.shape, bool), np.full(len(sizes), sizes.shape[1])
        while True:
            total = np.where(active, sizes, 0).sum(axis=1, dtype=np.float64)
            active &= sizes > (multiplier * total / (1 + multiplier * count))[:, None]
            now = active.sum(axis=1)
            if (now == count).all():
                return np.maximum(count, 1), total
            count = now

    return above


def l12(weights, radius, thresholds):
    sizes = np.abs(weights)
    above = (sums_above if thresholds is sort_thresholds else filtered_sums_above)(sizes)
    multiplier = 0.0
    while True:  # Newton's method for the one multiplier
        active, total = above(multiplier)
        s = total / (1 + multiplier * active)
        squares = s @ s
        step = squares * (np.sqrt(squares) / radius - 1) / (s * s * active / (1 + multiplier * active)).sum()
        if step <= 1e-12 * multiplier:
            return shrink(weights, (multiplier * s)[:, None])
        multiplier += step


def l21(weights, radius, thresholds):
    norms = np.sqrt(np.square(weights, dtype=np.float64).sum(axis=1))
    tau = thresholds(norms[None], np.array([radius]))[0]
    return weights * np.maximum(1 - tau / norms, 0).astype(weights.dtype)[:, None]


def norm(ball, weights):
    if ball == "l21":
        return np.sqrt(np.square(weights, dtype=np.float64).sum(axis=1)).sum()
    norms = np.abs(weights).sum(axis=1, dtype=np.float64)
    return np.sqrt(norms @ norms) if ball == "l12" else norms.sum()


def time_numpy(thresholds, rows, columns, options):
    weights = np.random.default_rng(1).standard_normal((rows, columns), dtype=np.float32)
    groups = weights if options.groups == "rows" else weights.T
    reports = {}
    for project in (l1, l11, l12, l21):
        radius, seconds = options.share * norm(project.__name__, groups), []
        for _ in range(options.repeats):
            start = time.perf_counter()
            result = project(groups, radius, thresholds)
            seconds.append(time.perf_counter() - start)
        reports[project.__name__] = (1000 * min(seconds), float((result == 0).mean()))
    return reports


def compare_algorithms(rows, columns, options):
    """Both of NumPy's algorithms on the same weights: they must agree number by number."""
    weights = np.random.default_rng(1).standard_normal((rows, columns), dtype=np.float32)
    groups = weights if options.groups == "rows" else weights.T
    for project in (l1, l11, l12, l21):
        radius = options.share * norm(project.__name__, groups)
        difference = np.abs(project(groups, radius, filtered) - project(groups, radius, sort_thresholds)).max()
        if difference > 1e-5:
            raise SystemExit(f"{project.__name__}: NumPy's filter and its sort differ by {difference:.1e}")


def time_ours(threads, rows, columns, options):
    arguments = [str(BENCH), "projections", "--rows", str(rows), "--columns", str(columns)]
    arguments += ["--groups", options.groups, "--share", str(options.share)]
    arguments += ["--threads", str(threads)]
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
    parser.add_argument("--json", help="a file for what the page is made of")
    options = parser.parse_args()
    if not BENCH.exists():
        raise SystemExit("there is no .build/release/bench; run `make bench` first")
    threads = options.threads or os.cpu_count()
    print(f"{options.groups}, radius {options.share} of the norm; NumPy {np.__version__}\n")
    sides = {
        f"LatentKit, {threads} threads": functools.partial(time_ours, threads),
        "LatentKit, 1 thread": functools.partial(time_ours, 1),
        "NumPy, filter": functools.partial(time_numpy, filtered),
        "NumPy, sort": functools.partial(time_numpy, sort_thresholds),
    }
    ratios = ["threads", "language", "algorithm", "all"]
    print("| matrix, ms | ball | " + " | ".join(sides) + " | " + " | ".join(ratios) + " | zeros, % |")
    print("|---|---|" + "---:|" * (len(sides) + len(ratios) + 1))
    page = []
    for rows, columns in SIZES:
        compare_algorithms(rows, columns, options)
        found = {name: [] for name in sides}
        for turn in range(options.rounds):
            for name in list(sides) if turn % 2 == 0 else reversed(list(sides)):
                found[name].append(sides[name](rows, columns, options))
        for ball in ("l1", "l11", "l12", "l21"):
            times = [min(report[ball][0] for report in found[name]) for name in sides]
            zeros = [found[name][0][ball][1] for name in sides]
            # All draw their own weights of one distribution: the share of zeros agrees but for chance.
            if max(zeros) - min(zeros) > 0.01:
                print(f"{ball}: zeros differ, {[f'{share:.1%}' for share in zeros]}", file=sys.stderr)
            gains = [times[1] / times[0], times[2] / times[1], times[3] / times[2], times[3] / times[0]]
            cells = [f"{value:.2f}" for value in times] + [f"{gain:.1f}" for gain in gains] + [f"{100 * zeros[0]:.1f}"]
            print(f"| {rows}x{columns} | {ball} | " + " | ".join(cells) + " |")
            # The faster of its two algorithms.
            theirs = min(times[2:])
            name = f"{ball[:2]},{ball[2]}" if len(ball) == 3 else ball
            what = f"projection onto an {name} ball, {rows}x{columns}, ms"
            peer = f"NumPy on one thread, {'filter' if times[2] < times[3] else 'sort'}"
            page.append(dict(what=what, goal=None, peer=peer, theirs=theirs, ours=times[0], limit=None))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(page))


if __name__ == "__main__":
    main()
