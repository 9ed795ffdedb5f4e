"""Runs qmatmul.json through the operator library in Python's onnxruntime.

python3 kernels/test/goldens/qmatmul_check.py kernels/build/libhalftone_ops.so   (needs numpy, onnx, onnxruntime)
"""
import base64
import json
import pathlib
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

TOLERANCE = 1e-5  # relative to the largest value


def run(op, operands, shapes, case, result):
    weight = {"codes": np.frombuffer(base64.b64decode(case["codes"]), np.uint8).reshape(case["N"], -1)}
    weight["scales"] = np.float32(case["scales"]).reshape(case["N"], -1)
    if case["zeros"]:
        weight["zeros"] = np.float32(case["zeros"]).reshape(case["N"], -1)
    feeds = {name: np.float32(case[name]).reshape(shape) for name, shape in zip(operands, shapes)} | weight
    types = {name: TensorProto.UINT8 if value.dtype == np.uint8 else TensorProto.FLOAT for name, value in feeds.items()}
    attributes = {"backward": 1} if result == "dA" else {}
    node = helper.make_node(op, list(feeds), ["out"], domain="halftone", K=case["K"], bits=case["bits"], group=case["group"], **attributes)
    inputs = [helper.make_tensor_value_info(name, types[name], value.shape) for name, value in feeds.items()]
    graph = helper.make_graph([node], "check", inputs, [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("halftone", 1)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(sys.argv[1])
    found = onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, feeds)[0].ravel()
    expected = np.float64(case[result])
    return np.abs(found - expected).max() / np.abs(expected).max()


worst = 0.0
for case in json.loads(pathlib.Path(__file__).with_name("qmatmul.json").read_text()):
    left, right = (case["M"], case["K"]), (case["M"], case["N"])
    for op, operands, shapes, result in [
        ("QMatMul", ["A"], [left], "Y"),
        ("QMatMul", ["dY"], [right], "dA"),
        ("QMatMulScaleGrad", ["A", "dY"], [left, right], "dScales"),
    ]:
        error = run(op, operands, shapes, case, result)
        worst = max(worst, error)
        assert error < TOLERANCE, (op, result, case["bits"], error)
print(f"onnxruntime {onnxruntime.__version__}: worst relative error {worst:.1e}")
