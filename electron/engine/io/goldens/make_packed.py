"""Makes packed-gptq/, packed-gptq-v1/ and packed-compressed/: layers in the layouts of quantized Hugging Face folders, and in packed.json the
SHA-256 of the float32 weights they stand for.

GPTQ words are put together here code by code as its first implementation described them (3 bits: 32 codes in 3 words, two of them cut);
compressed-tensors packs its own.
"""
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
from compressed_tensors.compressors.pack_quantized.base import PackedQuantizationCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from safetensors.torch import save_file

here = Path(__file__).parent
rng = np.random.default_rng(11)
ROWS, COLS = 32, 128
formats = [(2, 32, False), (2, 128, True), (3, 64, False), (3, 32, True), (4, 128, False), (4, -1, True), (8, -1, False), (8, 64, True)]


def words_of(codes, bits):
    """Rows of codes as rows of uint32 words."""
    rows, n = codes.shape
    out = np.zeros((rows, n * bits // 32), dtype=np.uint32)
    codes = codes.astype(np.uint32)
    if bits != 3:
        per = 32 // bits
        for i in range(n):
            out[:, i // per] |= codes[:, i] << np.uint32(i % per * bits)
        return out
    for first in range(0, n, 32):
        word = first // 32 * 3
        for i in range(10):
            out[:, word] |= codes[:, first + i] << np.uint32(3 * i)
        out[:, word] |= codes[:, first + 10] << np.uint32(30)
        out[:, word + 1] |= codes[:, first + 10] >> np.uint32(2) & np.uint32(1)
        for i in range(10):
            out[:, word + 1] |= codes[:, first + 11 + i] << np.uint32(3 * i + 1)
        out[:, word + 1] |= codes[:, first + 21] << np.uint32(31)
        out[:, word + 2] |= codes[:, first + 21] >> np.uint32(1) & np.uint32(3)
        for i in range(10):
            out[:, word + 2] |= codes[:, first + 22 + i] << np.uint32(3 * i + 2)
    return out


def signed(words):
    return torch.from_numpy(np.ascontiguousarray(words).view(np.int32))


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values, dtype=np.float32).tobytes()).hexdigest()


gptq, gptq_v1, compressed, expected = {}, {}, {}, {}
for bits, group, symmetric in formats:
    name = f"int{bits}-{'channel' if group < 0 else f'g{group}'}{'-sym' if symmetric else ''}"
    length = COLS if group < 0 else group
    groups = COLS // length
    codes = rng.integers(0, 1 << bits, (ROWS, COLS))
    # Zero 0 is left out: version 1 stores the zero point less one and cannot say it.
    zeros = np.full((ROWS, groups), 1 << (bits - 1)) if symmetric else rng.integers(1, 1 << bits, (ROWS, groups))
    scales = rng.normal(0, 0.05, (ROWS, groups)).astype(np.float16)
    spread = lambda per_group: np.repeat(per_group, length, axis=1)
    values = (codes - spread(zeros)).astype(np.float32) * spread(scales.astype(np.float32))
    expected[name] = digest(values)
    module = f"model.{name}"
    both = {f"{module}.qweight": signed(words_of(codes, bits).T), f"{module}.scales": torch.from_numpy(np.ascontiguousarray(scales.T)),
            f"{module}.g_idx": torch.arange(COLS, dtype=torch.int32) // length}
    gptq |= both | {f"{module}.qzeros": signed(words_of(zeros.T, bits))}
    gptq_v1 |= both | {f"{module}.qzeros": signed(words_of(zeros.T - 1, bits))}

    half = 1 << (bits - 1)
    state = {"weight_packed": pack_to_int32(torch.from_numpy(codes - half).to(torch.int8), bits), "weight_shape": torch.tensor([ROWS, COLS]), "weight_scale": torch.from_numpy(scales).float()}
    if not symmetric:
        state["weight_zero_point"] = pack_to_int32(torch.from_numpy(zeros - half).to(torch.int8), bits, packed_dim=0).contiguous()
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(num_bits=bits, type="int", symmetric=symmetric, strategy="channel" if group < 0 else "group", group_size=None if group < 0 else group))
    assert digest(PackedQuantizationCompressor.decompress(dict(state), scheme)["weight"].numpy() + np.float32(0)) == digest(values + np.float32(0)), name
    state["weight_scale"] = torch.from_numpy(scales)
    compressed |= {f"{module}.{key}": value for key, value in state.items()}

plain = {"model.norm.weight": torch.arange(4, dtype=torch.float32)}
configs = {
    "packed-gptq": (gptq, {"quant_method": "gptq", "bits": 4, "group_size": 128, "checkpoint_format": "gptq_v2"}),
    "packed-gptq-v1": (gptq_v1, {"quant_method": "gptq", "bits": 4, "group_size": 128, "checkpoint_format": "gptq"}),
    "packed-compressed": (compressed, {"quant_method": "compressed-tensors", "format": "pack-quantized"}),
}
for folder, (tensors, quantization) in configs.items():
    (here / folder).mkdir(exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in (tensors | plain).items()}, here / folder / "model.safetensors")
    (here / folder / "config.json").write_text(json.dumps({"model_type": "llama", "quantization_config": quantization}))
(here / "packed.json").write_text(json.dumps(expected, indent=1))
