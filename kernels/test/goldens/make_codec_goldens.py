"""Writes codec-goldens.json: what the gguf package and llama.cpp make of the same blocks and weights.

    python make_codec_goldens.py [path of llama.cpp's libggml-base.so]

decode   random and hostile blocks, and the floats of gguf.quants.dequantize
nearest  weights, and the blocks of gguf.quants.quantize where it has the format
search   weights with importance, and the squared error of llama.cpp's ggml_quantize_chunk, each weight counted
         importance * sqrt(mean square of its row + x^2), as its searches do; kept as it is when no library is given
Arrays are base64 of little-endian bytes.
"""
import base64
import ctypes
import json
import pathlib
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize

OUT = pathlib.Path(__file__).with_name('codec-goldens.json')
# Places of half-precision parameters in a block (MXFP4: of its exponent byte).
HALVES = {
    'F32': [], 'F16': [], 'BF16': [], 'Q8_0': [0], 'Q4_0': [0], 'Q4_1': [0, 2], 'Q5_0': [0], 'Q5_1': [0, 2], 'IQ4_NL': [0], 'IQ4_XS': [0], 'MXFP4': [],
    'IQ2_XXS': [0], 'IQ2_XS': [0], 'IQ2_S': [0], 'IQ3_XXS': [0], 'IQ3_S': [0], 'TQ1_0': [52], 'TQ2_0': [64], 'Q2_K': [80, 82], 'Q3_K': [108], 'Q4_K': [0, 2], 'Q5_K': [0, 2], 'Q6_K': [208],
}
SCALES = [0x2c1f, 0xab40, 0x7e01, 0x7c00, 0xfc00, 0x0001, 0x8000, 0x7bff]  # two ordinary, NaN, +inf, -inf, denormal, -0, largest
SEARCHED = {'Q4_0': 2, 'Q4_1': 3, 'Q5_0': 6, 'Q5_1': 7, 'Q8_0': 8, 'Q2_K': 10, 'Q3_K': 11, 'Q4_K': 12, 'Q5_K': 13, 'Q6_K': 14, 'IQ4_NL': 20, 'IQ4_XS': 23, 'MXFP4': 39}


def text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def decoded(blocks: np.ndarray, name: str) -> np.ndarray:
    with np.errstate(all='ignore'):
        return dequantize(blocks, Type[name]).astype(np.float32)


def decode_case(name: str, rng: np.random.Generator) -> dict:
    weights, size = GGML_QUANT_SIZES[Type[name]]
    if weights == 1:
        weights, size = 64, 64 * size
    blocks = rng.integers(0, 256, (len(SCALES), size), dtype=np.uint8)
    for block, scale in zip(blocks, SCALES):
        for place in HALVES[name]:
            block[place:place + 2] = np.array([scale], np.uint16).view(np.uint8)
    if name == 'MXFP4':
        blocks[:, 0] = [0, 1, 2, 3, 120, 127, 254, 255]
    if name in ('F16', 'BF16', 'F32'):
        blocks[0, :] = 255
        blocks[1, :] = 0
    return {'blocks': text(blocks), 'values': text(decoded(blocks, name))}


def main() -> None:
    rng = np.random.default_rng(20240607)
    kept = json.loads(OUT.read_text()) if OUT.exists() else {}

    plain = rng.standard_normal((7, 256)).astype(np.float32) * np.float32(0.03)
    plain[1] *= np.exp(rng.standard_normal(256)).astype(np.float32)
    plain[2] = 0
    plain[3] = plain[3, 0]
    plain[4] *= np.float32(1e-5)
    plain[5, 17] = 9
    plain[6] = np.abs(plain[6])
    nearest = {}
    for name in HALVES:
        try:
            nearest[name] = text(quantize(plain, Type[name]).view(np.uint8))
        except NotImplementedError:
            pass  # the package only reads this format

    weights = (rng.standard_t(6, (8, 512)) * 0.02).astype(np.float32)
    importance = np.exp(rng.standard_normal(512)).astype(np.float32)
    errors = kept.get('search', {}).get('errors', {})
    if len(sys.argv) > 1:
        ggml = ctypes.CDLL(sys.argv[1])
        ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
        for name, number in SEARCHED.items():
            block, size = GGML_QUANT_SIZES[Type[name]]
            out = np.zeros((8, 512 // block * size), np.uint8)
            ggml.ggml_quantize_chunk(number, weights.ctypes.data, out.ctypes.data, 0, 8, 512, importance.ctypes.data)
            miss = weights.astype(np.float64) - decoded(out, name)
            count = importance * np.sqrt(np.square(weights, dtype=np.float64).mean(1, keepdims=True) + np.square(weights))
            errors[name] = float((count * miss * miss).sum())

    OUT.write_text(json.dumps({
        'decode': {name: decode_case(name, rng) for name in HALVES},
        'nearest': {'weights': text(plain), 'cols': 256, 'blocks': nearest},
        'search': {'weights': text(weights), 'importance': text(importance), 'cols': 512, 'errors': errors},
    }, indent=0) + '\n')


main()
