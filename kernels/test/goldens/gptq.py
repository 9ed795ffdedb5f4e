"""Writes gptq.json: GPTQ by algorithm 1 of Frantar et al. 2022 in NumPy, column by column in float64.

Groups are fixed beforehand on the original weights by the plain recipe (asymmetric: range with zero in it; scale in half
precision), so that nothing but the algorithm is compared. Run: python gptq.py
"""
import json
from pathlib import Path

import numpy as np


def inverse_factor(x, damp):
    h = x.T @ x
    h += damp * np.trace(h) / len(h) * np.eye(len(h))
    inverse = np.linalg.inv(np.linalg.cholesky(h))
    return np.linalg.cholesky(inverse.T @ inverse).T


def parameters(w, bits):
    low, high = min(w.min(), 0), max(w.max(), 0)
    top = 2**bits - 1
    scale = float(np.float16(np.float32(high - low) / np.float32(top)))
    zero = np.clip(np.rint(np.float32(-low) / np.float32(scale)), 0, top)
    return scale, zero


def gptq(weights, factor, bits, group):
    w, quantized = weights.copy(), np.zeros_like(weights)
    groups = [[parameters(row[c : c + group], bits) for c in range(0, w.shape[1], group)] for row in weights]
    for j in range(w.shape[1]):
        for r in range(w.shape[0]):
            scale, zero = groups[r][j // group]
            code = np.clip(np.rint(w[r, j] / scale) + zero, 0, 2**bits - 1)
            quantized[r, j] = np.float32(scale) * np.float32(code - zero)
            error = (w[r, j] - quantized[r, j]) / factor[j, j]
            w[r, j + 1 :] -= error * factor[j, j + 1 :]
    return quantized


def main():
    random = np.random.default_rng(5)
    cases = []
    for codec, bits, group, rows, cols in (("int4-g32", 4, 32, 3, 64), ("int3-channel", 3, 48, 2, 48), ("int2-g32", 2, 32, 2, 32)):
        mixing = random.normal(size=(cols // 4, cols))
        x = random.normal(size=(3 * cols, cols // 4)) @ mixing + 0.3 * random.normal(size=(3 * cols, cols))
        weights = (0.05 * random.normal(size=(rows, cols))).astype(np.float32)
        factor = inverse_factor(x, 0.01).astype(np.float32)
        expected = gptq(weights.astype(np.float64), factor.astype(np.float64), bits, group)
        cases.append({
            "codec": codec, "rows": rows, "cols": cols,
            "weights": [float(f"{v:.9g}") for v in weights.ravel()],
            "factor": [float(f"{v:.9g}") for v in factor.ravel()],
            "expected": [float(f"{v:.9g}") for v in expected.ravel()],
        })
    Path(__file__).with_suffix(".json").write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
