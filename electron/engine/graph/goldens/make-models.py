"""Small ONNX files written by the onnx package, to be read by the tests beside. Needs onnx and numpy."""
import os
import numpy as np
import onnx
from onnx import TensorProto, helper as h, numpy_helper as nh

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(7)


def save(name, nodes, inputs, outputs, initializers, functions=(), opset=17, external=False, extra=()):
    graph = h.make_graph(nodes, name, inputs, outputs, initializers)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", opset), *extra], functions=list(functions), ir_version=9)
    onnx.checker.check_model(model)
    path = os.path.join(here, name + ".onnx")
    data = os.path.join(here, name + ".data")
    if os.path.exists(data):
        os.remove(data)
    if external:
        onnx.save_model(model, path, save_as_external_data=True, location=name + ".data", size_threshold=64)
        os.chmod(data, 0o644)
    else:
        onnx.save_model(model, path)


def reference(name, parameter):
    attribute = onnx.AttributeProto()
    attribute.name = name
    attribute.ref_attr_name = parameter
    attribute.type = onnx.AttributeProto.FLOAT
    return attribute


x = h.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 8, 8])
y = h.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 10])

# Every way of storing numbers: raw, float_data, int64_data (with the largest integer as "to the end"), a Constant node, halves in int32_data.
conv_w = rng.normal(size=(8, 3, 3, 3)).astype(np.float32)
conv_b = rng.normal(size=8).astype(np.float32)
fc_w = rng.normal(size=(10, 8 * 5 * 7)).astype(np.float32)
half = rng.normal(size=10).astype(np.float16)
typed = [
    nh.from_array(conv_w, "conv.weight"),
    h.make_tensor("conv.bias", TensorProto.FLOAT, [8], conv_b.tolist()),
    h.make_tensor("fc.weight", TensorProto.FLOAT, [10, 8 * 5 * 7], fc_w.flatten().tolist()),
    h.make_tensor("half", TensorProto.FLOAT16, [10], half.tolist()),
    h.make_tensor("starts", TensorProto.INT64, [2], [3, 1]),
    h.make_tensor("ends", TensorProto.INT64, [2], [9223372036854775807, 9223372036854775807]),
    h.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
]
typed_nodes = [
    h.make_node("Conv", ["x", "conv.weight", "conv.bias"], ["c"], name="conv", pads=[1, 1, 1, 1]),
    h.make_node("LeakyRelu", ["c"], ["r"], name="act", alpha=0.125),
    h.make_node("Slice", ["r", "starts", "ends", "axes"], ["s"], name="slice"),
    h.make_node("Flatten", ["s"], ["f"], name="flatten"),
    h.make_node("Constant", [], ["one"], value=nh.from_array(np.float32(1.5))),
    h.make_node("Gemm", ["f", "fc.weight"], ["g"], name="fc", transB=1),
    h.make_node("Cast", ["half"], ["h32"], to=TensorProto.FLOAT),
    h.make_node("Add", ["g", "h32"], ["a"]),
    h.make_node("Mul", ["a", "one"], ["y"]),
]
save("typed", typed_nodes, [x], [y], typed)
save("external", typed_nodes, [x], [y], [nh.from_array(fc_w, "fc.weight") if t.name == "fc.weight" else t for t in typed], external=True)

# A local function that calls another, with an attribute handed through and a default.
scale = h.make_function("local", "Scale", ["a"], ["b"], [
    h.make_node("LeakyRelu", ["a"], ["t"]),
    h.make_node("Neg", ["t"], ["b"]),
], [h.make_opsetid("", 17)], attributes=["slope"])
scale.node[0].attribute.append(reference("alpha", "slope"))
twice = h.make_function("local", "Twice", ["a"], ["b"], [
    h.make_node("Scale", ["a"], ["t"], domain="local"),
    h.make_node("Scale", ["t"], ["b"], domain="local", slope=0.25),
], [h.make_opsetid("", 17), h.make_opsetid("local", 1)], attributes=["slope"])
twice.node[0].attribute.append(reference("slope", "slope"))
v = h.make_tensor_value_info("v", TensorProto.FLOAT, ["n"])
w = h.make_tensor_value_info("w", TensorProto.FLOAT, ["n"])
save("functions", [
    h.make_node("Twice", ["v"], ["u"], domain="local", slope=0.5),
    h.make_node("Twice", ["u"], ["w"], domain="local", slope=0.75),
], [v], [w], [], functions=[scale, twice], extra=[h.make_opsetid("local", 1)])

# A branch that reads values of the graph around it, and a weight of its own larger than what is kept in memory.
then_graph = h.make_graph([h.make_node("Add", ["v", "inner"], ["then_out"])], "then", [], [h.make_tensor_value_info("then_out", TensorProto.FLOAT, [1500])],
                          [nh.from_array(rng.normal(size=1500).astype(np.float32), "inner")])
else_graph = h.make_graph([h.make_node("Mul", ["v", "outer"], ["else_out"])], "else", [], [h.make_tensor_value_info("else_out", TensorProto.FLOAT, [1500])])
save("branch", [h.make_node("If", ["c"], ["w"], name="choose", then_branch=then_graph, else_branch=else_graph)],
     [h.make_tensor_value_info("c", TensorProto.BOOL, []), h.make_tensor_value_info("v", TensorProto.FLOAT, [1500])],
     [h.make_tensor_value_info("w", TensorProto.FLOAT, [1500])], [nh.from_array(rng.normal(size=1500).astype(np.float32), "outer")])
