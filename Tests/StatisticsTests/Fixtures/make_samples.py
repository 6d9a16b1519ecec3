"""Writes samples.json: measures of generated samples in plain NumPy, with whole matrices and general routines. Needs numpy and scipy.

The tests make the samples themselves, by the formula below. Values are whole numbers over 64: squares are exact, and so are ties.
"""

import json
import pathlib

import numpy
import scipy.linalg


def rows(count, dimensions, factor, shift):
    index = numpy.arange(count * dimensions, dtype=numpy.int64)
    return (index * index * factor % 101).reshape(count, dimensions) / 64 + shift


def frechet(x, y):
    root = scipy.linalg.sqrtm(numpy.cov(x, rowvar=False) @ numpy.cov(y, rowvar=False))
    traces = numpy.trace(numpy.cov(x, rowvar=False)) + numpy.trace(numpy.cov(y, rowvar=False))
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + traces - 2 * numpy.trace(root).real


def kernel(x, y):
    k = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3
    n, m = len(x), len(y)
    own = (k(x, x).sum() - numpy.trace(k(x, x))) / (n * (n - 1))
    other = (k(y, y).sum() - numpy.trace(k(y, y))) / (m * (m - 1))
    return own + other - 2 * k(x, y).mean()


def neighborhoods(real, fake, k):
    d = lambda a, b: numpy.sqrt(((a[:, None] - b[None]) ** 2).sum(2))
    # Place 0 of the sorted row is the point itself.
    real_radii, fake_radii = numpy.sort(d(real, real))[:, k], numpy.sort(d(fake, fake))[:, k]
    inside = d(real, fake) <= real_radii[:, None]
    return {
        "precision": inside.any(0).mean(), "recall": (d(fake, real) <= fake_radii[:, None]).any(0).mean(),
        "density": inside.sum(0).mean() / k, "coverage": inside.any(1).mean(),
    }


cases = []
for n, m, dimensions, shift, k in [(60, 45, 3, 0.25, 3), (200, 260, 8, 0.0, 5), (150, 90, 2, 1.0, 1)]:
    x, y = rows(n, dimensions, 3, 0), rows(m, dimensions, 7, shift)
    cases.append({
        "first": n, "second": m, "dimensions": dimensions, "shift": shift, "neighbors": k,
        "frechet": frechet(x, y), "kernel": kernel(x, y), **neighborhoods(x, y, k),
    })
path = pathlib.Path(__file__).with_name("samples.json")
path.write_text(json.dumps(cases, indent=1, default=float) + "\n")
