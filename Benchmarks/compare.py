"""Times LatentKit beside PyTorch on this machine: a training step and an epoch of CSAE-L, CSAE-C, the classifier of
IntraClassVariance and a small variational autoencoder.

Every measurement is a process of its own; LatentKit and PyTorch's variants take turns, each round in the opposite order
of the last, so that what else the machine does falls on all of them. The table has medians over the rounds.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

from peer import VARIANTS, precision_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / ".build/release/bench"
OURS = "LatentKit"
MODELS = {
    "csae-l": "CSAE-L: 784-400-40-400-784, Adam, batch 128",
    "csae-c": "CSAE-C: Table 1 at 1x32x32, SGD, batch 128",
    "embedding-cnn": "Intra-class variance: 16, 16, 32, 32, 64 channels at 1x28x28, Adam, batch 256",
    "vae": "VAE: 784-400-20-400-784, Adam, batch 128",
}


# Products and sums of a step's layers, both ways, in billions: what matrix products alone cost.
OPERATIONS = {"csae-l": 0.426, "csae-c": 52.3, "embedding-cnn": 8.44, "vae": 0.420}
GOALS = {"csae-l": 1.5, "csae-c": 1.3, "vae": 1.5}
LOOPS = {"dataloader": "a DataLoader loop", "pythae": "Pythae's trainer"}


def command(contender, model, steps, warmup, epochs, precision, device):
    if contender == OURS:
        program = [str(BENCH), "training", "--precision", precision]
    else:
        program = [sys.executable, str(ROOT / "Benchmarks/peer.py"), "--variant", contender]
    return program + ["--device", device, "--model", model, "--steps", str(steps), "--warmup", str(warmup), "--epochs", str(epochs)]


def measure(contender, model, **counts):
    """What the contender reports. A variant of PyTorch that fails (no C++ compiler, say) is told of and left out."""
    arguments = command(contender, model, **counts)
    result = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
    if result.returncode == 0 and lines:
        return json.loads(lines[-1])
    reason = (result.stderr.strip() or result.stdout.strip() or "no output").splitlines()[-1]
    message = f"{contender} failed with status {result.returncode}: {reason}"
    if contender == OURS:
        raise SystemExit(message)
    print(f"  {message}", file=sys.stderr)
    return None


def run_rounds(model, contenders, options):
    """The reports of each contender, one a round."""
    reports = {contender: [] for contender in contenders}
    for turn in range(options.rounds):
        for contender in contenders if turn % 2 == 0 else reversed(contenders):
            # An epoch of the others takes minutes on a small machine, and is nothing but their steps.
            with_epoch = not options.quick and model in FAST or contender in LOOPS
            report = measure(
                contender,
                model,
                epochs=int(with_epoch),
                precision=options.precision,
                device=options.device,
                **amounts(model, options.quick),
            )
            if report:
                reports[contender].append(report)
                told = [f"step {report['stepMilliseconds']:.2f} ms"] if report["stepMilliseconds"] else []
                told += [f"epoch {report['epochSeconds']:.2f} s"] if report.get("epochSeconds") else []
                print(f"  {model} round {turn + 1}/{options.rounds} {contender}: {', '.join(told)}", file=sys.stderr)
    return {contender: rounds for contender, rounds in reports.items() if rounds}


FAST = ("csae-l", "vae")


def amounts(model, quick):
    if model in FAST:
        return {"steps": 100, "warmup": 20} if quick else {"steps": 400, "warmup": 40}
    return {"steps": 8, "warmup": 3} if quick else {"steps": 30, "warmup": 5}


def column(rounds, key):
    return [report[key] for report in rounds if report.get(key)]


def median(values):
    return statistics.median(values) if values else None


def ratio(ours, theirs):
    return f"{theirs / ours:.2f}" if ours and theirs else "-"


def print_table(model, reports):
    print(f"\n{MODELS[model]}\n")
    print(f"| {'':29} | step, ms | lowest - highest  | ratio | epoch, s | ratio |")
    print(f"|{'-' * 31}|{'-' * 9}:|{'-' * 19}|{'-' * 6}:|{'-' * 9}:|{'-' * 6}:|")
    ours = reports.get(OURS, [])
    our_step, our_epoch = median(column(ours, "stepMilliseconds")), median(column(ours, "epochSeconds"))
    for contender, rounds in reports.items():
        steps, epoch = column(rounds, "stepMilliseconds"), median(column(rounds, "epochSeconds"))
        own = contender == OURS
        name = OURS if own else f"PyTorch {contender}"
        print(
            f"| {name:29} | {f'{median(steps):.2f}' if steps else '-':>8} "
            f"| {f'{min(steps):.2f} - {max(steps):.2f}' if steps else '-':17} "
            f"| {'' if own else ratio(our_step, median(steps)):>5} "
            f"| {f'{epoch:.2f}' if epoch else '-':>8} | {'' if own else ratio(our_epoch, epoch):>5} |"
        )
    everything = [report for rounds in reports.values() for report in rounds]
    sizes = {report.get("images") for report in everything if report.get("epochSeconds")} - {None}
    if len(sizes) > 1:
        print(f"\nThe epochs cannot be compared: the sides read {' and '.join(map(str, sorted(sizes)))} images.")
    elif sizes:
        print(f"\nAn epoch is {sizes.pop():,} images.")


def matrix_rate(device):
    """Billions of operations a second that products of matrices reach, and the name of a GPU."""
    program = [sys.executable, str(ROOT / "Benchmarks/peer.py"), "--model", "rate", "--device", device]
    result = subprocess.run(program, capture_output=True, text=True)
    if result.returncode:
        reason = (result.stderr.strip() or "no output").splitlines()[-1]
        raise SystemExit(f"PyTorch cannot use device {device}: {reason}. Scripts/bootstrap --bench says which PyTorch .venv has")
    found = json.loads(result.stdout)
    return found["gigaflops"], found["device"]


def rows(model, reports, rate, precision):
    """What the page says of a model: its step beside the fastest variant, and epochs beside other loops."""
    ours = reports.get(OURS, [])
    name = MODELS[model].split(":")[0] + ("" if precision == "float32" else f", {precision}")
    others = {n: r for n, r in reports.items() if n != OURS and n not in LOOPS}
    steps = {n: median(column(r, "stepMilliseconds")) for n, r in others.items()}
    best = min((n for n in steps if steps[n]), key=steps.get, default=None)
    our_step = median(column(ours, "stepMilliseconds"))
    if best and our_step:
        limit = 1000 * OPERATIONS[model] / rate if precision == "float32" else None
        goal = {"float32": GOALS.get(model), "bf16": 1.25}.get(precision)
        yield dict(what=f"{name}: step, ms", goal=goal, peer=f"PyTorch {best}", theirs=steps[best], ours=our_step, limit=limit)
    our_epoch = median(column(ours, "epochSeconds"))
    for loop, title in LOOPS.items():
        epoch = median(column(reports.get(loop, []), "epochSeconds"))
        if epoch and our_epoch:
            yield dict(what=f"{name}: epoch, s", goal=3, peer=title, theirs=epoch, ours=our_epoch, limit=None)


def processor():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def print_machine(reports, gpu):
    peers = [report for contender, rounds in reports.items() if contender != OURS for report in rounds]
    if peers:
        print(
            f"\nMachine: {gpu or processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; "
            f"PyTorch {peers[0]['torch']} with {peers[0]['threads']} threads."
        )
    print("A ratio is the other's time over LatentKit's: above 1, LatentKit is faster.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--rounds", type=int, help="(3; with --quick 1)")
    parser.add_argument("--quick", action="store_true", help="few steps and no epochs: a look, not a measurement")
    parser.add_argument(
        "--precision",
        choices=["float32", "bf16", "tf32"],
        default="float32",
        help="bf16 beside PyTorch's autocast to it; tf32 on cuda",
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--peers-only", action="store_true", help="time PyTorch alone")
    parser.add_argument("--json", help="a file for what the page is made of")
    parser.add_argument("--data-dir", help="folder that holds mnist/; else LATENTKIT_DATA, else the shipped subset")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 3)
    if options.data_dir:
        os.environ["LATENTKIT_DATA"] = str(pathlib.Path(options.data_dir).resolve())
    if not options.peers_only and not BENCH.exists():
        raise SystemExit(f"{BENCH.relative_to(ROOT)} is not there; run `make bench`, or give --peers-only")

    if options.precision == "tf32" and not options.device.startswith("cuda"):
        parser.error("tf32 is for --device cuda")

    everything, found = {}, []
    rate, gpu = matrix_rate(options.device)
    for model in options.models:
        variants = [name for name in VARIANTS[model] if precision_of(name) == options.precision]
        if options.device != "cpu":
            variants = [name for name in variants if name != "pythae"]
        if options.quick:
            variants = [name for name in variants if name not in LOOPS]
        contenders = ([] if options.peers_only else [OURS]) + variants
        reports = run_rounds(model, contenders, options)
        print_table(model, reports)
        found += rows(model, reports, rate, options.precision)
        for contender, rounds in reports.items():
            everything.setdefault(contender, []).extend(rounds)
    print_machine(everything, gpu)
    print(f"Matrix products reach {rate:,.0f} billion operations a second.")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
