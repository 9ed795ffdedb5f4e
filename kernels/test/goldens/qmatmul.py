"""Writes qmatmul.json: QMatMul and its gradients in float64 by NumPy, the codes packed by np.packbits."""
import base64
import json
import pathlib

import numpy as np

rng = np.random.default_rng(7)


def case(bits, cols, group, rows, m, has_zeros):
    length = group or cols
    groups = cols // length
    codes = rng.integers(0, 2**bits, (rows, cols), dtype=np.uint8)
    planes = (codes[:, :, None] >> np.arange(bits, dtype=np.uint8)) & 1
    packed = np.packbits(planes.reshape(rows, cols * bits), axis=1, bitorder="little")
    scales = rng.uniform(0.2, 0.8, (rows, groups)).astype(np.float32)
    zeros = rng.uniform(0, 2**bits - 1, (rows, groups)).astype(np.float32) if has_zeros else None
    a = rng.standard_normal((m, cols)).astype(np.float32)
    dy = rng.standard_normal((m, rows)).astype(np.float32)

    zero = np.repeat(np.full((rows, groups), 2.0 ** (bits - 1)) if zeros is None else zeros.astype(np.float64), length, axis=1)
    shifted = codes - zero
    weight = np.repeat(scales.astype(np.float64), length, axis=1) * shifted
    gradient = dy.astype(np.float64).T @ a
    return {
        "bits": bits, "K": cols, "group": group, "N": rows, "M": m,
        "codes": base64.b64encode(packed.tobytes()).decode(),
        "scales": scales.ravel().tolist(),
        "zeros": None if zeros is None else zeros.ravel().tolist(),
        "A": a.ravel().tolist(), "dY": dy.ravel().tolist(),
        "Y": (a @ weight.T).ravel().tolist(),
        "dA": (dy @ weight).ravel().tolist(),
        "dScales": (gradient * shifted).reshape(rows, groups, length).sum(2).ravel().tolist(),
    }


cases = [
    case(2, 64, 32, 5, 1, True),
    case(3, 96, 32, 3, 1, False),
    case(3, 40, 0, 3, 5, True),
    case(4, 128, 64, 4, 2, False),
    case(4, 33, 0, 3, 6, True),
    case(8, 64, 64, 2, 3, True),
]
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(cases, indent=None, separators=(",", ":")) + "\n")
