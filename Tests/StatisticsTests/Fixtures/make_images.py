"""Writes images.json: pairs of images and what scikit-image says about them. Needs numpy and scikit-image (made with 0.26).

The tests make the images themselves, by the formula below in exact arithmetic of small integers.
"""

import json
import pathlib

import numpy
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def pixels(shape, factor):
    """Whole numbers from 0 to 255: index² · factor mod 257, capped."""
    index = numpy.arange(int(numpy.prod(shape)), dtype=numpy.int64)
    return numpy.minimum(index * index * factor % 257, 255).reshape(shape)


cases = []
for channels, height, width, low, scale in [(1, 28, 28, 0.0, 1 / 255), (3, 11, 17, -1.0, 2 / 255), (2, 40, 13, 0.0, 1.0)]:
    first = pixels((channels, height, width), 3)
    # Half of the first image's contrast, and another pattern.
    second = first // 2 + pixels((channels, height, width), 7) // 4
    a, b = first * scale + low, second * scale + low
    span = 255 * scale
    cases.append({
        "channels": channels, "height": height, "width": width, "low": low, "scale": scale,
        "similarity": float(structural_similarity(
            a, b, data_range=span, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)),
        "signalToNoise": float(peak_signal_noise_ratio(a, b, data_range=span)),
    })
path = pathlib.Path(__file__).with_name("images.json")
path.write_text(json.dumps(cases, indent=1) + "\n")
