"""All benchmarks on one page: what is done, the goal, the best peer, LatentKit, the ratio, and the limit of the machine.

    .venv/bin/python -B Benchmarks/page.py [--quick] [--device cuda] [--output .build/bench]

A ratio above 1 says that LatentKit is faster. The limit of a training step is what its matrix products take at the rate that large
ones reach here; that of a chain what its sums over kernels take where nothing but their operations costs. The page and a picture of
how cost grows go to the output folder.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

import compare

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(script, folder, *arguments):
    """Runs a script, shows what it prints, and returns what it has for the page."""
    file = folder / f"{script}.json"
    file.unlink(missing_ok=True)
    command = [sys.executable, "-B", str(ROOT / f"Benchmarks/{script}.py"), "--json", str(file), *arguments]
    print(f"\n# {script} {' '.join(arguments)}\n", flush=True)
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE)
    print(done.stdout, flush=True)
    if done.returncode or not file.exists():
        raise SystemExit(f"Benchmarks/{script}.py failed with status {done.returncode}")
    return json.loads(file.read_text()), done.stdout


def lowest(command, repeats=5):
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return 1000 * min(seconds)


def startup():
    """Help and mistakes of the command line, beside a program that does nothing but load libtorch."""
    host = str(ROOT / ".build/release/host")
    library = str((ROOT / ".libtorch/lib/libtorch_cpu.so").resolve())
    leave = "import os; os._exit(0)"
    loading = lowest([sys.executable, "-c", f"import ctypes; ctypes.CDLL({library!r}); {leave}"])
    loading -= lowest([sys.executable, "-c", f"import ctypes; {leave}"])
    peer = lowest([sys.executable, "-c", "import torch"])
    for title, arguments in (
        ("host --help", ["--help"]),
        ("host --version", ["--version"]),
        ("the script of completions", ["--generate-completion-script", "bash"]),
        ("a mistake of the command line", ["compose", "--bogus"]),
    ):
        yield dict(
            what=f"{title}, ms", goal=None, peer="import torch", theirs=peer, ours=lowest([host, *arguments]), limit=loading
        )


def number(value):
    return "" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.2f}" if value >= 1 else f"{value:.3g}"


def table(rows):
    yield "| what | goal | best peer | its time | LatentKit | ratio | limit |"
    yield "|---|---:|---|---:|---:|---:|---:|"
    for row in rows:
        ratio = f"{row['theirs'] / row['ours']:.2f}"
        yield (
            f"| {row['what']} | {row['goal'] or ''} | {row['peer']} | {number(row['theirs'])} | {number(row['ours'])} "
            f"| {ratio} | {number(row['limit'])} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few steps and no epochs: a look, not a measurement")
    parser.add_argument("--rounds", type=int, help="of all but how cost grows (3; with --quick 1)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; training alone is timed on cuda")
    parser.add_argument("--output", default=str(ROOT / ".build/bench"), help="a folder")
    options = parser.parse_args()
    folder = pathlib.Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)
    rounds = ["--rounds", str(options.rounds or (1 if options.quick else 3))]
    training = ["--device", options.device, *rounds] + (["--quick"] if options.quick else [])
    rows, _ = run("compare", folder, *training)
    for precision in ["bf16"] if options.device == "cpu" else ["tf32", "bf16"]:
        rows += run("compare", folder, *training, "--precision", precision)[0]
    growth = []
    if options.device == "cpu":
        rows += run("chains", folder, *rounds)[0]
        rows += run("silhouette", folder, *rounds)[0]
        rows += run("projections", folder, *rounds)[0]
        rows += startup()
        growth = run("growth", folder, "--picture", str(folder / "growth.png"))[1].splitlines()
    name = compare.processor() if options.device == "cpu" else compare.matrix_rate(options.device)[1]
    where = f"{name}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    page = [f"{where}; {options.device}", "", *table(rows), "", *growth]
    (folder / "bench.md").write_text("\n".join(page) + "\n")
    print("\n# The page\n\n" + "\n".join(page))
    print(f"\npage     {folder / 'bench.md'}" + (f"\npicture  {folder / 'growth.png'}" if growth else ""))


if __name__ == "__main__":
    main()
