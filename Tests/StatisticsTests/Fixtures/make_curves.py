"""Writes curves.json: scores and what scikit-learn's operating curve says about them, without ties, with ties, and perfect."""

import json
import pathlib

import numpy
from sklearn.metrics import roc_auc_score, roc_curve

generator = numpy.random.default_rng(11)


def case(scores, positive):
    false, true, _ = roc_curve(positive, scores, drop_intermediate=False)
    # Where the curve, straight between its points, meets false acceptance = false rejection.
    grid = false - (1 - true)
    return {
        "scores": scores.tolist(),
        "positive": [bool(p) for p in positive],
        "false": false.tolist(),
        "true": true.tolist(),
        "area": float(roc_auc_score(positive, scores)),
        "equal": float(numpy.interp(0, grid, false)),
        # Vertical pieces lean by a trifle, so that the abscissa rises.
        "atTen": float(numpy.interp(0.1, false + 1e-13 * numpy.arange(len(false)), true)),
    }


positive = generator.random(200) < 0.3
plain = case((generator.normal(size=200) + positive).round(6), positive)
tied = case((generator.normal(size=200) + 1.5 * positive).round(0), positive)
perfect = case(numpy.arange(20.0), numpy.arange(20) >= 14)
path = pathlib.Path(__file__).with_name("curves.json")
path.write_text(json.dumps([plain, tied, perfect], separators=(",", ":")) + "\n")
