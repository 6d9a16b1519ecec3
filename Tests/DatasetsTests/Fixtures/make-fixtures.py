"""Makes the pictures and MAT files beside it, and what they hold, by Pillow, SciPy and NumPy. Pixels are noise: no licence.

    python -m venv env && env/bin/pip install numpy scipy pillow && env/bin/python make-fixtures.py
"""

import numpy as np
import scipy.io
from PIL import Image

random = np.random.default_rng(7)
noise = random.integers(0, 256, (9, 13, 4)).astype("u1")
grey, rgb, alpha = noise[..., 0], np.ascontiguousarray(noise[..., :3]), noise[..., 3]
smooth = np.kron(random.integers(0, 256, (2, 3, 3)), np.ones((8, 8, 1))).astype("u1")


def keep(name, picture, pixels, **options):
    picture.save(name, **options)
    np.ascontiguousarray(pixels, dtype="u1").tofile(f"{name}.raw")


def over_white(colours, alpha):
    a = alpha.astype(int).reshape(alpha.shape + (1,) * (colours.ndim - 2))
    return (colours * a + 255 * (255 - a) + 127) // 255


keep("grey.png", Image.fromarray(grey), grey)
wide = random.integers(0, 65536, (9, 13)).astype("u2")
keep("grey16.png", Image.fromarray(wide), np.rint(wide / 257))
keep("bits.png", Image.fromarray(grey > 127), (grey > 127) * 255)
keep("rgb.png", Image.fromarray(rgb), rgb)
palette = Image.fromarray(rgb).quantize(16)
keep("palette.png", palette, np.asarray(palette.convert("RGB")))
keep("rgba.png", Image.fromarray(noise), over_white(rgb, alpha))
keep("grey-alpha.png", Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]), over_white(grey, alpha))
for name, options in [("rgb.jpg", {}), ("progressive.jpg", {"progressive": True})]:
    Image.fromarray(smooth).save(name, quality=90, **options)
    keep(name, Image.fromarray(smooth), np.asarray(Image.open(name)), quality=90, **options)
Image.fromarray(smooth[..., 0]).save("grey.jpg")
keep("grey.jpg", Image.fromarray(smooth[..., 0]), np.asarray(Image.open("grey.jpg")))
Image.fromarray(smooth).convert("CMYK").save("cmyk.jpg")
from PIL import ImageOps

for orientation in range(2, 9):
    name = f"exif{orientation}.jpg"
    tag = Image.Exif()
    tag[0x112] = orientation
    Image.fromarray(smooth).save(name, exif=tag)
    np.asarray(ImageOps.exif_transpose(Image.open(name))).tofile(f"{name}.raw")
np.asarray(Image.fromarray(rgb).convert("L")).tofile("rgb-as-grey.raw")


def weights(old, new):
    result = np.zeros((new, old))
    for i in range(new):
        if old > new:
            for k in range(old):
                result[i, k] = max(0, min((i + 1) * old / new, k + 1) - max(i * old / new, k)) * new / old
        else:
            place = min(max((i + 0.5) * old / new - 0.5, 0), old - 1)
            for k in range(old):
                result[i, k] = max(0, 1 - abs(place - k))
    return result


for height, width in [(4, 5), (4, 20), (15, 20), (9, 6)]:
    result = np.einsum("ik,kjc,lj->ilc", weights(9, height), rgb.astype(float), weights(13, width))
    result.astype("<f8").tofile(f"resized-{height}x{width}.raw")

variables = {
    "cells": np.array(["a", "bcd"], dtype=object),
    "bytes": np.arange(12, dtype="u1").reshape(3, 4),
    "doubles": random.random((4, 3)),
    "words": np.arange(-6, 6, dtype="i2").reshape(4, 3),
    "text": "abc",
}
scipy.io.savemat("plain.mat", variables)
scipy.io.savemat("packed.mat", variables, do_compression=True)
variables["doubles"].astype("<f8").tofile("doubles.raw")
