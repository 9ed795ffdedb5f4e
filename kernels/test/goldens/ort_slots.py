"""Writes ort-slots.json: the slots of ONNX Runtime's C tables in order, read from a full header.

python3 kernels/test/goldens/ort_slots.py onnxruntime_c_api.h
"""
import json
import pathlib
import re
import sys

API_21 = 285  # entries of the function table of API version 21; later ones follow


def body(text, name):
    """The text between the braces of `struct name {…}`, without comments and directives."""
    start = text.index("{", re.search(rf"struct {name} \{{", text).start()) + 1
    end, depth = start, 1
    while depth:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    inside = re.sub(r"/\*.*?\*/", "", text[start : end - 1], flags=re.S)
    return re.sub(r"//[^\n]*|^\s*#.*$", "", inside, flags=re.M)


def slots(text, name):
    patterns = [r"ORT_API2_STATUS\(\s*(\w+)", r"ORT_API_T\([^,]+,\s*(\w+)", r"\(\s*ORT_API_CALL\s*\*\s*(\w+)\s*\)", r"^uint32_t (\w+)$"]
    found = []
    for declaration in filter(None, (" ".join(part.split()) for part in body(text, name).split(";"))):
        released = re.match(r"ORT_CLASS_RELEASE2?\(\s*(\w+)", declaration)
        match = next(filter(None, (re.search(pattern, declaration) for pattern in patterns)), None)
        if not released and not match:
            raise SystemExit(f"not understood: {declaration}")
        found.append("Release" + released[1] if released else match[1])
    return found


header = pathlib.Path(sys.argv[1]).read_text()
tables = {"Api": slots(header, "OrtApi")[:API_21], "ApiBase": slots(header, "OrtApiBase"), "CustomOp": slots(header, "OrtCustomOp")}
target = pathlib.Path(__file__).with_name("ort-slots.json")
target.write_text("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(names)}" for name, names in tables.items()) + "\n}\n")
