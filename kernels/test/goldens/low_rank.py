"""Writes low_rank.json: what the best approximations leave, by NumPy's singular value decomposition in float64.

plain[r]: squared norm left of D after rank r. weighted[r]: tr(E H E^T) left, from the decomposition of D L with
H = L L^T. Run: python low_rank.py
"""
import json
from pathlib import Path

import numpy as np


def energies_left(matrix):
    squares = np.linalg.svd(matrix, compute_uv=False) ** 2
    return [float(squares[r:].sum()) for r in range(len(squares) + 1)]


def main():
    random = np.random.default_rng(11)
    rows, cols, tokens = 14, 10, 40
    delta = random.normal(size=(rows, cols)).astype(np.float32)
    x = (random.normal(size=(tokens, cols)) * np.exp(random.normal(size=cols))).astype(np.float32) @ random.normal(size=(cols, cols)).astype(np.float32)
    x = x.astype(np.float32)
    hessian = x.astype(np.float64).T @ x.astype(np.float64)
    lower = np.linalg.cholesky(hessian)
    golden = {
        "rows": rows, "cols": cols,
        "delta": delta.ravel().tolist(),
        "hessian": hessian.ravel().tolist(),
        "singular": np.linalg.svd(delta.astype(np.float64), compute_uv=False).tolist(),
        "plain": energies_left(delta.astype(np.float64)),
        "weighted": energies_left(delta.astype(np.float64) @ lower),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
