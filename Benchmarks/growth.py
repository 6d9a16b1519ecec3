"""How cost grows with size: time and memory of the work that runs consist of, with fitted exponents, and a picture.

An exponent is the slope of a line through the upper half of the sizes on log axes: 1 where twice the size takes twice as long. It is
compared with what the work needs; one that is more than 0.15 above is marked.

    .venv/bin/python -B Benchmarks/growth.py [--only WORK ...] [--picture growth.png] [--json growth.json]
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

BENCH = pathlib.Path(__file__).resolve().parent.parent / ".build/release/bench"
# What it is, its sizes, the exponents of time and of memory that it must have at most, and why.
WORK = {
    "step-by-width": ("training step, by width", [128, 256, 512, 1024, 2048], 2, 2, "weights between two layers"),
    "step-by-batch": ("training step, by batch", [32, 64, 128, 256, 512, 1024], 1, 1, "rows"),
    "density-by-points": ("kernel density at 200 places, by points", [4000, 8000, 16000, 32000, 64000], 1, 1, "kernels"),
    "density-by-dimensions": (
        "kernel density at 200 places, by dimensions",
        [8, 16, 32, 64, 128],
        1,
        1,
        "values of a kernel",
    ),
    "walk-by-points": ("Metropolis-Hastings with jumps, by points", [8000, 16000, 32000, 64000, 128000], 1, 1, "kernels"),
    "walk-by-dimensions": (
        "Metropolis-Hastings with jumps, by dimensions",
        [8, 16, 32, 64, 128],
        1,
        1,
        "values of a kernel",
    ),
    "silhouette-by-points": ("silhouette, by points", [2000, 4000, 8000, 16000, 32000], 2, 1, "pairs"),
    "centroids-by-classes": ("100 iterations of PEDCC, by classes", [50, 100, 200, 400, 800], 2, 2, "pairs"),
    "loading-by-rows": ("loading a table, by rows", [4000, 8000, 16000, 32000, 64000], 1, 1, "values"),
}
TOLERANCE = 0.15


def write_table(path, rows):
    with open(path, "w") as file:
        file.write(",".join(f"f{column}" for column in range(20)) + ",label\n")
        for row in range(rows):
            values = ",".join(f"{(row * 37 + column * 101) % 1009 / 7:.6f}" for column in range(20))
            file.write(f"{values},c{row % 3}\n")


def measure(work, size, folder):
    command = [str(BENCH), "growth", work, "--size", str(size), "--device", "cpu"]
    if work == "loading-by-rows":
        # Written by this process: what the other one needs for it is not its memory.
        write_table(f"{folder}/table.csv", size)
        command += ["--table", f"{folder}/table.csv"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {result.stderr.strip()}")
    return json.loads(result.stdout.splitlines()[-1])


def fitted(sizes, values, least=0.0):
    """The line through the upper half on log axes, where what does not grow weighs least, as its slope and its value at 1; None
    where fewer than two are above `least`."""
    half = len(sizes) // 2
    shown = [(size, value) for size, value in zip(sizes[half:], values[half:]) if value > least]
    if len(shown) < 2:
        return None
    slope, start = np.polyfit(*np.log(np.array(shown).T), 1)
    return float(slope), float(np.exp(start))


def told(line, limit):
    return "-" if line is None else f"{line[0]:.2f}" + (" (!)" if line[0] > limit + TOLERANCE else "")


def draw(found, path):
    figure, axes = plt.subplots(1, 2, figsize=(13, 6))
    for panel, key, least, title in zip(axes, ("seconds", "megabytes"), (0, 1), ("time, s", "memory added, MB")):
        for work, rows in found.items():
            sizes = np.array([row["size"] for row in rows])
            values = np.array([row[key] for row in rows])
            shown = values > 0
            (points,) = panel.plot(sizes[shown], values[shown], "o", label=WORK[work][0])
            if line := fitted(sizes, values, least):
                panel.plot(sizes, line[1] * sizes ** line[0], "--", color=points.get_color(), linewidth=1)
                end = (sizes[-1], line[1] * sizes[-1] ** line[0])
                panel.annotate(f"{line[0]:.2f}", end, (4, 0), textcoords="offset points", color=points.get_color(), fontsize=8)
        panel.set(xscale="log", yscale="log", xlabel="size", title=title)
        panel.grid(True, which="both", alpha=0.3)
    figure.suptitle("Dashed: the power of the size that fits the upper half best, with its exponent", fontsize=11)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=3, fontsize=9)
    figure.tight_layout(rect=(0, 0.13, 1, 1))
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=WORK, default=list(WORK))
    parser.add_argument("--picture", default="growth.png")
    parser.add_argument("--json", help="a file for the measured numbers")
    options = parser.parse_args()
    if not BENCH.exists():
        raise SystemExit("there is no .build/release/bench; run `make bench` first")
    found = {}
    print("| work | sizes | time of the largest, s | time's exponent | at most | its memory, MB | memory's exponent | at most | grows with |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---|")
    for work in options.only:
        title, sizes, most, most_memory, why = WORK[work]
        with tempfile.TemporaryDirectory() as folder:
            rows = found[work] = [measure(work, size, folder) for size in sizes]
        seconds, memory = [row["seconds"] for row in rows], [row["megabytes"] for row in rows]
        # Below a MB a process's memory is what its pages happen to be.
        slopes = told(fitted(sizes, seconds), most), told(fitted(sizes, memory, least=1), most_memory)
        print(
            f"| {title} | {sizes[0]:,} to {sizes[-1]:,} | {seconds[-1]:.4f} | {slopes[0]} | {most} "
            f"| {memory[-1]:.0f} | {slopes[1]} | {most_memory} | {why} |",
            flush=True,
        )
        if any("!" in slope for slope in slopes):
            print(f"{title} grows faster than {why} do: measure it again, and find out why", file=sys.stderr)
    draw(found, options.picture)
    print(f"\npicture  {options.picture}", file=sys.stderr)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
