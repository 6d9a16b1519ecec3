"""Writes silhouette.json: points, labels and what scikit-learn says about them.

Classes of 70, 66, 40, 1 and 1 points: longer than one tile of the kernel, shorter, and alone.
"""

import json
import pathlib

import numpy
from sklearn.metrics import silhouette_samples, silhouette_score

generator = numpy.random.default_rng(7)
sizes = [70, 66, 40, 1, 1]
labels = numpy.repeat(numpy.arange(5), sizes)
points = generator.normal(size=(sum(sizes), 3)) + 1.5 * generator.normal(size=(5, 3))[labels]
order = generator.permutation(len(labels))
# As Float64: scikit-learn's Float32 distances lose digits.
points, labels = points[order].round(3), labels[order]
made = {
    "points": points.tolist(),
    "labels": labels.tolist(),
    "samples": silhouette_samples(points, labels).tolist(),
    "score": float(silhouette_score(points, labels)),
}
path = pathlib.Path(__file__).with_name("silhouette.json")
path.write_text(json.dumps(made, separators=(",", ":")) + "\n")
