"""Times LatentKit's silhouette beside scikit-learn's silhouette_score on the same points, and compares what they find.

Both take turns, so that what else the machine does falls on both; each turn is the lowest of equally many repeats, and
the ratio is that of the medians of the turns.

    swift build -c release --product bench && Scripts/bootstrap --bench
    .venv/bin/python -B Benchmarks/silhouette.py [--count 10000] [--dimensions 10] [--classes 10] [--threads 2] [--repeats 3]
"""

import argparse
import json
import os
import pathlib
import statistics
import struct
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("--count", type=int, default=10_000)
parser.add_argument("--dimensions", type=int, default=10)
parser.add_argument("--classes", type=int, default=10)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--repeats", type=int, default=3, help="of each side in each round")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--json", help="a file for what the page is made of")
parser.add_argument("--bench", default=str(pathlib.Path(__file__).resolve().parent.parent / ".build/release/bench"))
options = parser.parse_args()
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(options.threads)

import numpy  # noqa: E402  (threads are read when it is loaded)
from sklearn.metrics import silhouette_score  # noqa: E402

generator = numpy.random.default_rng(0)
labels = generator.integers(options.classes, size=options.count)
means = 2 * generator.normal(size=(options.classes, options.dimensions))
points = (generator.normal(size=(options.count, options.dimensions)) + means[labels]).astype(numpy.float32)


def write(path):
    """The points as safetensors: the header's length, the header, then the bytes."""
    header, payload = {}, b""
    for name, array, kind in [("points", points, "F32"), ("labels", labels.astype(numpy.int64), "I64")]:
        start = len(payload)
        payload += array.tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, len(payload)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + payload)


def timed_peer():
    start = time.perf_counter()
    silhouette_score(points, labels)  # in Float32, as ours
    return time.perf_counter() - start


with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder) / "points.safetensors"
    write(file)
    ours, theirs, exact = [], [], silhouette_score(points.astype(numpy.float64), labels)
    for _ in range(options.rounds):
        command = [options.bench, "silhouette", str(file), "--device", "cpu", "--threads", str(options.threads)]
        command += ["--repeats", str(options.repeats)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        ours.append(min(found["seconds"]))
        theirs.append(min(timed_peer() for _ in range(options.repeats)))

print(f"{options.count} points of {options.dimensions} dimensions, {options.classes} classes, {options.threads} threads")
print(f"LatentKit     {statistics.median(ours):8.4f} s  silhouette {found['silhouette']:.9f}")
print(f"scikit-learn  {statistics.median(theirs):8.4f} s  silhouette {exact:.9f}")
print(f"ratio         {statistics.median(theirs) / statistics.median(ours):8.1f}   difference {abs(found['silhouette'] - exact):.1e}")
if options.json:
    row = dict(
        what=f"silhouette of {options.count:,} points, s",
        goal=None,
        peer="scikit-learn",
        theirs=statistics.median(theirs),
        ours=statistics.median(ours),
        limit=None,
    )
    pathlib.Path(options.json).write_text(json.dumps([row]))
