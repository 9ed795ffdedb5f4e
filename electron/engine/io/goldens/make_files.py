"""Makes small.gguf, small.safetensors and small.json (what they hold), with the gguf and safetensors packages."""
import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFValueType, GGUFWriter
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize
from safetensors.numpy import save_file

here = Path(__file__).parent
rng = np.random.default_rng(7)


def finite_blocks(kind, rows, cols):
    """Random blocks whose half-precision scales are finite, so that NaN never has to be compared."""
    block, size = GGML_QUANT_SIZES[kind]
    count = rows * cols // block
    data = rng.integers(0, 256, (count, size), dtype=np.uint8)
    places = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
              "IQ4_NL": [0], "IQ4_XS": [0], "TQ1_0": [52], "TQ2_0": [64], "MXFP4": []}[kind.name]
    for at in places:
        data[:, at:at + 2] = rng.normal(0, 0.1, (count, 1)).astype(np.float16).view(np.uint8)
    if kind.name == "MXFP4":
        data[:, 0] = rng.integers(110, 130, count)
    return data.reshape(rows, -1)


def gguf_file():
    writer = GGUFWriter(here / "small.gguf", "llama")
    writer.add_uint8("t.u8", 200)
    writer.add_int8("t.i8", -5)
    writer.add_uint16("t.u16", 65000)
    writer.add_int16("t.i16", -3000)
    writer.add_uint32("t.u32", 4000000000)
    writer.add_int32("t.i32", -2000000000)
    writer.add_float32("t.f32", 0.1)
    writer.add_float64("t.f64", 0.1)
    writer.add_bool("t.bool", True)
    writer.add_string("t.string", "naïve ☃")
    writer.add_key_value("t.u64", 2**63 + 1, GGUFValueType.UINT64)
    writer.add_key_value("t.i64", -(2**40), GGUFValueType.INT64)
    writer.add_array("t.strings", ["", "a", "Ġb", "☃"])
    writer.add_array("t.ints", [1, -2, 3])
    writer.add_array("t.floats", [0.5, -1.25])
    writer.add_array("t.bools", [True, False])
    expected = {}
    for kind in GGMLQuantizationType:
        if kind.name not in "F32 F16 BF16 F64 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS TQ1_0 TQ2_0 MXFP4".split():
            continue
        rows, cols = 2, max(GGML_QUANT_SIZES[kind][0], 8)
        if kind.name in ("F32", "F16", "F64"):
            data = rng.normal(0, 1, (rows, cols)).astype({"F32": np.float32, "F16": np.float16, "F64": np.float64}[kind.name])
            values = data.astype(np.float32)
            writer.add_tensor(f"x.{kind.name}", data)
        elif kind.name == "BF16":
            data = rng.integers(0x3F00, 0x4100, (rows, cols)).astype(np.uint16)
            values = (data.astype(np.uint32) << 16).view(np.float32)
            writer.add_tensor(f"x.{kind.name}", data.view(np.uint8), raw_dtype=kind)
        else:
            data = finite_blocks(kind, rows, cols)
            values = dequantize(data, kind)
            writer.add_tensor(f"x.{kind.name}", data, raw_dtype=kind)
        expected[f"x.{kind.name}"] = {"shape": [rows, cols], "values": values.astype(np.float64).ravel().tolist()}
    cube = rng.normal(0, 1, (2, 3, 4)).astype(np.float32)
    writer.add_tensor("cube", cube)
    expected["cube"] = {"shape": [2, 3, 4], "values": cube.astype(np.float64).ravel().tolist()}
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


def safetensors_file():
    tensors = {
        "f64": rng.normal(0, 1, (2, 3)),
        "f32": rng.normal(0, 1, (3, 2)).astype(np.float32),
        "f16": rng.normal(0, 1, (4, 5)).astype(np.float16),
        "i64": np.arange(4, dtype=np.int64),
        "u8": np.arange(5, dtype=np.uint8),
        "bool": np.array([True, False]),
        "scalar": np.array(1.5, dtype=np.float32),
        "empty": np.zeros((0, 4), dtype=np.float32),
    }
    save_file(tensors, here / "small.safetensors", metadata={"format": "np", "note": "☃"})
    return {name: {"shape": list(t.shape), "values": t.astype(np.float32).astype(np.float64).ravel().tolist()} for name, t in tensors.items() if t.dtype.kind == "f"}


(here / "small.json").write_text(json.dumps({"gguf": gguf_file(), "safetensors": safetensors_file()}))
