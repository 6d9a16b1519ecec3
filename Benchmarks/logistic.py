"""Compares metric probe's logistic regression with scikit-learn's, on the latents and the labelled examples of finished runs.

    swift build -c release --product host && Scripts/bootstrap --bench
    .venv/bin/python -B Benchmarks/logistic.py RUN [OTHER ...]

RUN is measured with all labels of its training part and, for each OTHER run of the same seed and data, with the labels that
`data.labelled` left to that one: those that a probe with as many labels has.
"""

import argparse
import json
import pathlib
import re
import struct
import subprocess

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser()
parser.add_argument("run", help="the folder of a finished run")
parser.add_argument("other", nargs="*", help="folders of runs that were trained with data.labelled")
parser.add_argument("--host", default=str(pathlib.Path(__file__).resolve().parent.parent / ".build/release/host"))
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

KINDS = {"F32": numpy.float32, "I64": numpy.int64, "BOOL": numpy.bool_}


def tensors(run):
    """The tensors of a run's latents.safetensors."""
    content = (pathlib.Path(run) / "latents.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, payload = json.loads(content[8 : 8 + length]), content[8 + length :]
    header.pop("__metadata__", None)
    return {
        name: numpy.frombuffer(payload[slice(*entry["data_offsets"])], KINDS[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


def ours(count):
    """The probe's accuracy in percent, on the test images and on the labelled ones."""
    command = [options.host, "evaluate", options.run, "--threads", str(options.threads)]
    command += ["--metric", "probe", "--set", f"metrics.probe.labels=[{count}]"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = dict(re.findall(rf"(logistic on mean at {count} labels(?:, training)?)\s+([0-9.]+)", text))
    name = f"logistic on mean at {count} labels"
    return found[name], found[f"{name}, training"]


own = tensors(options.run)
latents, labels = own["latents"].astype(float), own["labels"]
test, test_labels = own["test.latents"].astype(float), own["test.labels"]
everyone = own.get("labelled", numpy.ones(len(labels), bool))
for mask in [everyone] + [numpy.isin(own["rows"], t["rows"][t["labelled"]]) for t in map(tensors, options.other)]:
    scaler = StandardScaler().fit(latents[mask])
    model = LogisticRegression(C=1, tol=1e-8, max_iter=10_000).fit(scaler.transform(latents[mask]), labels[mask])
    peer = [100 * model.score(scaler.transform(x), y) for x, y in [(test, test_labels), (latents[mask], labels[mask])]]
    on_test, on_training = ours(mask.sum())
    line = f"{mask.sum()} labels: {on_test} % of the test images, scikit-learn {peer[0]:.2f} %"
    if mask.sum() <= 10_000:  # of more, the probe measures 10,000
        line += f"; {on_training} % of the labelled ones, scikit-learn {peer[1]:.2f} %"
    print(line)
