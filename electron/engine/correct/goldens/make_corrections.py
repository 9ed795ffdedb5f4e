"""Makes corrections.json: a rounding error, inputs, and what numpy says of the best low-rank corrections in three metrics.

  python make_corrections.py            (needs numpy)

Follows the papers word by word: EoRA by the eigenvectors of the damped Hessian and a singular value decomposition of the error in
that basis; the diagonal metric and the plain one in the same way. `residual` is tr((Δ − BA)H(Δ − BA)ᵀ) per token by rank.
"""
import json, pathlib
import numpy as np

rng = np.random.default_rng(5)
OUT, IN, TOKENS = 20, 28, 200
basis = np.linalg.qr(rng.normal(size=(IN, IN)))[0]
x = rng.normal(size=(TOKENS, IN)) * (np.arange(1, IN + 1) ** -0.8) @ basis.T
x[:, [3, 17]] += 4 * rng.normal(size=(TOKENS, 2))
x = x.astype(np.float32)
delta = (rng.normal(size=(OUT, IN)) * 0.1).astype(np.float32)
h = x.astype(np.float64).T @ x / TOKENS
damped = h + 0.01 * np.trace(h) / IN * np.eye(IN)


def residuals(metric):
    values, vectors = np.linalg.eigh(metric)
    u, s, v = np.linalg.svd(delta @ vectors @ np.diag(np.sqrt(values)))
    found = []
    for rank in (0, 1, 2, 4, 8, 16):
        ba = u[:, :rank] @ np.diag(s[:rank]) @ v[:rank] @ np.diag(values ** -0.5) @ vectors.T
        left = delta - ba
        found.append([rank, float(np.trace(left @ h @ left.T))])
    return found


golden = {"out": OUT, "in": IN, "tokens": TOKENS, "x": x.ravel().tolist(), "delta": delta.ravel().tolist(),
          "residual": {"eora": residuals(damped), "diagonal": residuals(np.diag(np.diag(damped))), "svd": residuals(np.eye(IN))}}
golden["x"] = [round(value, 9) for value in golden["x"]]
golden["delta"] = [round(value, 9) for value in golden["delta"]]
(pathlib.Path(__file__).parent / "corrections.json").write_text(json.dumps(golden))
print(json.dumps(golden["residual"], indent=1))
