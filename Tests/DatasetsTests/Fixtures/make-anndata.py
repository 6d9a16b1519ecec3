"""Makes cells.h5ad, sparse.h5ad, old.h5ad, oldest.h5ad and other.h5 with anndata 0.12 and h5py 3.16."""

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse

count, features = 6, 3
values = np.arange(count * features, dtype=np.float32).reshape(count, features)
values[1] = 0
obs = pd.DataFrame(
    {
        "cell_type": pd.Categorical(["T", "B", "T", "B", "T", "B"], categories=["T", "B"]),
        "batch": ["b1", "b1", "b2", "b2", "é", "é"],
        "leiden": [0, 1, 10, 0, 1, 10],
        "age": [1.0, 2.5, 1.0, 2.5, 1.0, 2.5],
        "doublet": [True, False, True, False, True, False],
        "partly": pd.Categorical(["a", None, "a", "a", None, "a"]),
        "stage": pd.array([1, 2, 1, 2, 1, None], dtype="Int64"),
    },
    index=[f"cell-{i}" for i in range(count)],
)
var = pd.DataFrame(index=["Actb", "Gapdh", "Cd3e"])
cells = anndata.AnnData(values, obs=obs, var=var, layers={"counts": 2 * values})
cells.write_h5ad("cells.h5ad")
sparse = anndata.AnnData(
    scipy.sparse.csr_matrix(values),
    obs=obs[["cell_type"]],
    var=var,
    layers={"counts": scipy.sparse.csc_matrix(2 * values)},
)
sparse.write_h5ad("sparse.h5ad", compression="gzip")

text = h5py.string_dtype()
with h5py.File("old.h5ad", "w") as file:  # As anndata 0.7 wrote it.
    file["X"] = values
    frame = file.create_group("obs")
    frame.attrs.update({"_index": "index", "encoding-type": "dataframe", "encoding-version": "0.1.0"})
    frame.attrs["column-order"] = np.array(["cell_type"], dtype=text)
    frame.create_dataset("index", data=np.array(obs.index, dtype=object), dtype=text)
    frame["cell_type"] = obs.cell_type.cat.codes.values
    frame.create_group("__categories")["cell_type"] = np.array(["T", "B"], dtype=text)
    frame["cell_type"].attrs["categories"] = frame["__categories/cell_type"].ref
    frame = file.create_group("var")
    frame.attrs.update({"_index": "index", "column-order": np.array([], dtype=float)})
    frame["index"] = np.array(var.index, dtype="S5")

with h5py.File("other.h5", "w") as file:  # Counts of 10x Genomics look like this.
    file.create_group("matrix")["data"] = values
with h5py.File("oldest.h5ad", "w") as file:  # As anndata 0.6 wrote it.
    file["X"] = values
    file["obs"] = np.array([(f"c{i}".encode(), i) for i in range(count)], dtype=[("index", "S5"), ("n", "i4")])
    file["var"] = np.array([(name.encode(),) for name in var.index], dtype=[("index", "S5")])
