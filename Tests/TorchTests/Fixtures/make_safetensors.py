"""Writes python.safetensors, the file that SafetensorsTests reads, with Python's safetensors 0.8.0 and numpy.

    python make_safetensors.py
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

tensors = {
    "encoder.conv1.weight": (np.arange(24, dtype=np.float32) / 8 - 1).reshape(2, 3, 2, 2),
    "scalar": np.array(1 / 3, dtype=np.float64),
    "large": np.array([-1, 2**53 + 1, -(2**63), 2**63 - 1], dtype=np.int64),
    "bytes": np.array([[0, 1, 255]], dtype=np.uint8),
    "mask": np.array([True, False, True], dtype=np.bool_),
    "empty": np.zeros((0, 4), dtype=np.float32),
    "łódź \"quoted\"": np.array([np.inf, -np.inf], dtype=np.float32),
}
metadata = {"written by": "python", "note": "two\nlines"}
save_file(tensors, Path(__file__).with_name("python.safetensors"), metadata)
