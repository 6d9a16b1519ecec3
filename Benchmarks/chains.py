"""Times draws by Markov chains over class-wise kernel densities: LatentKit, SciPy as the paper's authors do, batched NumPy.

The task is ten classes times 1,000 thinned draws from 60,000 latents of ten dimensions. All sides estimate the same density
(Gaussian kernels at all 6,000 latents of a class, full covariance, Scott's factor) and are judged by one function of this
file: the bulk effective sample size (Vehtari et al. 2021) of the draws that they hand back, the smallest of all dimensions,
summed over classes, per second of everything it took, on all cores. Where other programs compete for the cores, the second
column is the better one: effective draws per second of processor time.

- scipy: one chain, one point at a time by `gaussian_kde.logpdf`, the authors' way, with Metropolis' rule. It is run for
  some of its steps on a process for each core, and its time extrapolated to the whole by the steps left out.
- numpy: the same algorithm as LatentKit's `mh` (chains side by side, tuned proposals, jumps between kernels), in Float32
  with one product of matrices for each class and step, on as many threads as BLAS has, classes shared by processes.
- mh, plain: LatentKit without jumps, the algorithm that SciPy runs, many chains of it.
- gibbs beside NumPy, Gibbs: one coordinate after another.

Sides take turns, so that what else the machine does falls on all.
"""

import argparse
import json
import math
import multiprocessing
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

CORES = len(os.sched_getaffinity(0))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of each process: there is one for each core
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.stats import gaussian_kde, norm, rankdata

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLASSES, EACH, DIMENSIONS, DRAWS = 10, 6000, 10, 1000


def make_latents():
    """Clusters like those of trained encoders: bent, of different spreads."""
    random = np.random.default_rng(0)
    latents = []
    for label in range(CLASSES):
        z = random.normal(size=(EACH, DIMENSIONS)) @ random.normal(size=(DIMENSIONS, DIMENSIONS)) / math.sqrt(DIMENSIONS)
        z[:, 0] += 0.5 * z[:, 1] ** 2
        latents.append(z + 4 * np.eye(DIMENSIONS)[label])
    return np.concatenate(latents).astype(np.float32), np.repeat(np.arange(CLASSES), EACH)


def write_safetensors(path, arrays):
    names = {np.dtype(np.float32): "F32", np.dtype(np.int64): "I64"}
    header, place = {}, 0
    for name, array in arrays.items():
        header[name] = {
            "dtype": names[array.dtype],
            "shape": array.shape,
            "data_offsets": [place, place + array.nbytes],
        }
        place += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(array.tobytes())


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    types = {"F32": np.float32, "F64": np.float64, "I64": np.int64}
    result = {}
    for name, about in json.loads(data[8 : 8 + size]).items():
        if name != "__metadata__":
            start, end = (8 + size + offset for offset in about["data_offsets"])
            result[name] = np.frombuffer(data[start:end], types[about["dtype"]]).reshape(about["shape"])
    return result


def bulk_size(chains):
    """Bulk effective sample size of `[chains, steps]` (Vehtari et al. 2021; what ArviZ calls `ess_bulk`)."""
    half = chains.shape[1] // 2
    halves = np.concatenate([chains[:, :half], chains[:, -half:]]).astype(float)
    z = norm.ppf((rankdata(halves).reshape(halves.shape) - 0.375) / (halves.size + 0.25))
    m, n = z.shape
    centered = z - z.mean(1, keepdims=True)
    spectrum = np.fft.rfft(centered, 2 * n, axis=1)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :n].mean(0) / n
    within = covariance[0] * n / (n - 1)
    total = covariance[0] + (z.mean(1).var(ddof=1) if m > 1 else 0)
    rho = 1 - (within - covariance) / total
    rho[0] = 1
    time_, last, lag = -1.0, math.inf, 0
    while lag + 1 < n and rho[lag] + rho[lag + 1] > 0:
        last = min(last, rho[lag] + rho[lag + 1])
        time_ += 2 * last
        lag += 2
    return m * n / max(time_, 1 / math.log10(m * n))


def effective(draws, chains):
    """The smallest size of all dimensions of `[count, dimensions]`, draws taken from chains in turn."""
    rounds = len(draws) // chains
    walks = draws[: rounds * chains].reshape(rounds, chains, -1).transpose(1, 0, 2)
    return min(bulk_size(walks[:, :, d]) for d in range(draws.shape[1]))


def timed(job):
    """What a function returns, and the processor time it took."""
    function, argument = job
    start = time.process_time()
    return function(argument), time.process_time() - start


# ---- SciPy: one point at a time ----------------------------------------------------------------------------------------


def scipy_chain(job):
    points, steps, seed = job
    random = np.random.default_rng(seed)
    density = gaussian_kde(points.T)
    # A proposal of the kernels' shape; the factor is near the best for ten dimensions.
    root = np.linalg.cholesky(density.covariance) * 2.38 / math.sqrt(DIMENSIONS)
    x = points[0].astype(float)
    log_density = density.logpdf(x)[0]
    places = np.empty((steps, DIMENSIONS))
    for step in range(steps):
        proposal = x + root @ random.normal(size=DIMENSIONS)
        proposed = density.logpdf(proposal)[0]
        if math.log(random.uniform()) < proposed - log_density:
            x, log_density = proposal, proposed
        places[step] = x
    return places


def run_scipy(latents, labels, steps, pool):
    """Effective draws a second, both cores busy. A chain of any length has the same rate, so no draw is invented."""
    start = time.perf_counter()
    found = pool.map(timed, [(scipy_chain, (latents[labels == y], steps, y)) for y in range(CORES)], chunksize=1)
    seconds = time.perf_counter() - start
    sizes = [min(bulk_size(places[None, steps // 10 :, d]) for d in range(DIMENSIONS)) for places, _ in found]
    processor = sum(cost for _, cost in found)
    return {"rate": sum(sizes) / seconds, "processor": sum(sizes) / processor, "steps/s": CORES * steps / seconds}


# ---- NumPy: LatentKit's algorithm, batched --------------------------------------------------------------------------------


def whitened(points):
    """Coordinates in which each kernel is N(0, I), and what takes places back from there."""
    n, d = points.shape
    root = np.linalg.cholesky(np.cov(points.T)) * n ** (-1 / (d + 4))
    center = points.mean(0)
    return np.linalg.solve(root, (points - center).T).T.astype(np.float32), root, center


def drawn_kernels(e, random):
    """A kernel for each row of exponents, which are overwritten, drawn by its share."""
    e -= e.max(1, keepdims=True)
    np.exp(e, out=e)
    shares = np.cumsum(e, axis=1)
    u = random.random(len(e), dtype=np.float32) * shares[:, -1]
    return [min(np.searchsorted(row, value), e.shape[1] - 1) for row, value in zip(shares, u)]


def numpy_class(job):
    points, chains, warm_up, thinning, jump_every, seed = job
    random = np.random.default_rng(seed)
    n, d = points.shape
    p, root, center = whitened(points)
    columns, half = np.ascontiguousarray(p.T), (p * p).sum(1) / 2

    def exponents(x):
        e = x @ columns
        e -= half
        return e

    def log_density(x):
        e = exponents(x)
        top = e.max(1, keepdims=True)
        e -= top
        np.exp(e, out=e)
        return np.log(e.sum(1)) + top[:, 0] - (x * x).sum(1) / 2

    def jump(x):
        here = drawn_kernels(exponents(x), random)
        return x + p[random.integers(0, n, len(x))] - p[here]

    x = p[random.permutation(n)[:chains]]
    current, scale, kept = log_density(x), 2.38 / math.sqrt(d), []
    rounds = -(-DRAWS // chains)
    for step in range(warm_up + rounds * thinning):
        if jump_every and step % jump_every == jump_every - 1:
            x = jump(x)
            current = log_density(x)
        proposal = x + np.float32(scale) * random.standard_normal(x.shape, dtype=np.float32)
        proposed = log_density(proposal)
        taken = np.log(random.random(chains)) < proposed - current
        x = np.where(taken[:, None], proposal, x)
        current = np.where(taken, proposed, current)
        if step < warm_up:
            scale *= math.exp((taken.mean() - 0.3) / math.sqrt(step + 1))
        elif (step - warm_up + 1) % thinning == 0:
            kept.append(x)
    return (np.concatenate(kept)[:DRAWS] @ root.T + center).astype(np.float32)


def numpy_gibbs(job):
    points, chains, warm_up, thinning, _, seed = job
    random = np.random.default_rng(seed)
    n, d = points.shape
    p, root, center = whitened(points)
    columns, half = np.ascontiguousarray(p.T), (p * p).sum(1) / 2
    x, kept = p[random.permutation(n)[:chains]], []
    for sweep in range(warm_up + -(-DRAWS // chains) * thinning):
        for axis in range(d):
            rest = x.copy()
            rest[:, axis] = 0
            e = rest @ columns
            e -= half - columns[axis] ** 2 / 2
            here = drawn_kernels(e, random)
            x[:, axis] = columns[axis, here] + random.standard_normal(chains, dtype=np.float32)
        if sweep >= warm_up and (sweep - warm_up + 1) % thinning == 0:
            kept.append(x.copy())
    return (np.concatenate(kept)[:DRAWS] @ root.T + center).astype(np.float32)


def run_numpy(latents, labels, settings, pool, walk=numpy_class):
    jobs = [
        (latents[labels == y], settings["chains"], settings["warmUp"], settings["thinning"], settings.get("jumpEvery"), y)
        for y in range(CLASSES)
    ]
    start = time.perf_counter()
    found = pool.map(timed, [(walk, job) for job in jobs], chunksize=1)
    seconds = time.perf_counter() - start
    size = sum(effective(draws, settings["chains"]) for draws, _ in found)
    processor = sum(cost for _, cost in found)
    return {"rate": size / seconds, "processor": size / processor, "seconds": seconds, "size": size}


# ---- LatentKit --------------------------------------------------------------------------------------------------------------


def run_bench(bench, folder, sampler, settings):
    output = f"{folder}/draws.safetensors"
    command = [bench, "sampler", "--sampler", sampler, "--latents", f"{folder}/latents.safetensors"]
    command += ["--device", "cpu", "--per-class", str(DRAWS), "--rounds", "2", "--output", output, "--threads", str(CORES)]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    private = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY")
    environment = {k: v for k, v in os.environ.items() if k not in private}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Both repeats, with starting the program and reading the latents.
    processor = (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / 2
    seconds = json.loads(done.stdout.splitlines()[-1])["seconds"][-1]
    found = read_safetensors(output)
    chains = settings.get("chains", 1)
    draws = [found["latents"][found["labels"] == y] for y in range(CLASSES)]
    size = sum(effective(d, chains) for d in draws)
    return {"rate": size / seconds, "processor": size / processor, "seconds": seconds, "size": size}


def vector_rate():
    """Billions of operations on vectors of 16 numbers a second, on all cores, as products of matrices reach them."""
    a = np.ones((1024, 1024), np.float32)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return CORES * 2 * 1024**3 / 32 / min(seconds) / 1e9


def seconds_at_least(rate, settings, passes):
    """What sums over kernels take where nothing but their operations costs: for 16 kernels a product for each dimension and
    16 more operations, most of them of the exponential."""
    steps = settings["warmUp"] + -(-DRAWS // settings["chains"]) * settings["thinning"]
    vectors = steps * passes * settings["chains"] * CLASSES * EACH / 16
    return vectors * (DIMENSIONS + 16) / (rate * 1e9)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="a file for what the page is made of")
    parser.add_argument("--bench", default=str(ROOT / ".build/release/bench"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scipy-steps", type=int, default=4000, help="steps of SciPy's chains")
    options = parser.parse_args()
    latents, labels = make_latents()
    jumps = {"chains": 40, "warmUp": 100, "steps": 1, "thinning": 3, "jumpEvery": 1, "maximumPoints": "null"}
    plain_settings = {"chains": 40, "warmUp": 100, "steps": 1, "thinning": 40, "jumpEvery": 0, "maximumPoints": "null"}
    gibbs = {"chains": 40, "warmUp": 10, "steps": 1, "thinning": 4, "maximumPoints": "null"}
    found = {}

    def note(name, result):
        found.setdefault(name, []).append(result)
        print("  " + name + ": " + ", ".join(f"{k} {v:.4g}" for k, v in result.items()), flush=True)

    with tempfile.TemporaryDirectory() as folder, multiprocessing.Pool(CORES) as pool:
        write_safetensors(f"{folder}/latents.safetensors", {"latents": latents, "labels": labels.astype(np.int64)})
        for turn in range(options.rounds):
            print(f"round {turn + 1}/{options.rounds}")
            note("LatentKit mh", run_bench(options.bench, folder, "mh", jumps))
            note("NumPy, the same", run_numpy(latents, labels, jumps, pool))
            note("LatentKit mh, plain", run_bench(options.bench, folder, "mh", plain_settings))
            note("NumPy, plain", run_numpy(latents, labels, plain_settings, pool))
            note("SciPy, plain", run_scipy(latents, labels, options.scipy_steps, pool))
            note("LatentKit gibbs", run_bench(options.bench, folder, "gibbs", gibbs))
            note("NumPy, Gibbs", run_numpy(latents, labels, gibbs, pool, numpy_gibbs))
            note("LatentKit kde", run_bench(options.bench, folder, "kde", {}))

    def middle(name, key):
        return statistics.median(result[key] for result in found[name])

    ours, plain = "LatentKit mh", "LatentKit mh, plain"
    print("\n| | effective draws/s | per processor second | `mh` is so many times as fast | plain `mh` is |")
    print("|---|---:|---:|---:|---:|")
    for name in found:
        rates = [f"{middle(name, key):,.3g}" for key in ("rate", "processor")]
        ratios = []
        for own in (ours, plain):
            wall, processor = (middle(own, key) / middle(name, key) for key in ("rate", "processor"))
            ratios.append(f"{wall:,.1f} ({processor:,.1f})")
        print(f"| {name} | {' | '.join(rates)} | {' | '.join(ratios)} |")
    print("\nMedians; ratios by time, and by processor time in brackets.")
    if options.json:
        rate = vector_rate()
        pairs = [
            ("Metropolis-Hastings", 5, "LatentKit mh, plain", "NumPy, plain", plain_settings, 1),
            ("the same with jumps", 10, "LatentKit mh", "NumPy, the same", jumps, 3),
            ("Gibbs sampling", 10, "LatentKit gibbs", "NumPy, Gibbs", gibbs, DIMENSIONS),
        ]
        rows = [
            dict(
                what=f"{title}: 10,000 draws, s",
                goal=goal,
                peer="batched NumPy",
                theirs=middle(theirs, "seconds"),
                ours=middle(own, "seconds"),
                limit=seconds_at_least(rate, settings, passes),
            )
            for title, goal, own, theirs, settings, passes in pairs
        ]
        pathlib.Path(options.json).write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
