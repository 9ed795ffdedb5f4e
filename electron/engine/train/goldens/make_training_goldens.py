"""Losses and gradients of a training step of a tiny quantized Llama model, by PyTorch in float64.

  python make_training_goldens.py            (needs torch, transformers, safetensors)

The teacher is session/goldens/llama. The student has its linear layers rounded here to group-wise integers (blocks written by hand:
half scale, zero byte, codes low bits first), a random branch beside each of them (y += alpha / rank * (x A^T) B^T), a factor on every
scale, and its own norms. For every objective: the terms, and the gradient of each trained array. training.json lists the arrays of
training.bin.
"""
import json, pathlib
import numpy as np, torch, transformers
from safetensors.torch import load_file

HERE = pathlib.Path(__file__).parent
MODEL = HERE.parents[1] / "session" / "goldens" / "llama"
RANK, ALPHA, TOP = 3, 6, 4
generator = np.random.default_rng(11)
torch.set_default_dtype(torch.float64)

MODULES = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj", "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj"}
NORMS = {"attention_norm": "input_layernorm", "mlp_norm": "post_attention_layernorm"}
# bits, group (0: the row), symmetric
CODECS = {"q": (2, 32, False), "k": (3, 32, False), "v": (4, 32, True), "o": (8, 0, False), "gate": (2, 0, True), "up": (3, 32, True), "down": (4, 0, False)}

arrays, blob = {}, bytearray()


def keep(name, values):
    values = np.ascontiguousarray(values)
    arrays[name] = {"type": values.dtype.name, "dims": list(values.shape), "offset": len(blob)}
    blob.extend(values.tobytes())
    blob.extend(b"\0" * (-len(blob) % 8))


def codec_name(bits, group, symmetric):
    return f"int{bits}-{f'g{group}' if group else 'channel'}{'-sym' if symmetric else ''}"


def quantize(weight, bits, group, symmetric):
    """Blocks as bytes, and code - zero and scale, each [rows, groups, group] and [rows, groups, 1]."""
    rows, cols = weight.shape
    grouped = weight.reshape(rows, -1, group or cols)
    if symmetric:
        scale = np.abs(grouped).max(-1, keepdims=True) / (2 ** (bits - 1) - 0.5)
        scale, zero = np.float16(scale), np.full(scale.shape, 2 ** (bits - 1))
    else:
        low, high = np.minimum(grouped.min(-1, keepdims=True), 0), np.maximum(grouped.max(-1, keepdims=True), 0)
        scale = np.float16((high - low) / (2**bits - 1))
        zero = np.round(-low / scale.astype(np.float64))
    codes = np.clip(np.round(grouped / scale.astype(np.float64)) + zero, 0, 2**bits - 1).astype(np.uint8)
    out = bytearray()
    for row in range(rows):
        for at in range(grouped.shape[1]):
            out += scale[row, at].tobytes()
            if not symmetric:
                out += bytes([int(zero[row, at, 0])])
            stream = "".join(format(code, f"0{bits}b")[::-1] for code in codes[row, at])
            stream += "0" * (-len(stream) % 8)
            out += bytes(int(stream[i : i + 8][::-1], 2) for i in range(0, len(stream), 8))
    return bytes(out), torch.tensor(codes - zero), torch.tensor(scale.astype(np.float64))


class Student(torch.nn.Module):
    """A quantized linear layer with a factor a block and a branch."""

    def __init__(self, layer, weight, codec):
        super().__init__()
        blocks, self.levels, self.scale = quantize(weight, *codec)
        out, cols = weight.shape
        self.factor = torch.nn.Parameter(torch.tensor(1 + generator.uniform(-0.1, 0.1, self.scale.shape)))
        self.a = torch.nn.Parameter(torch.tensor(generator.normal(0, 0.2, (RANK, cols)).astype(np.float32).astype(np.float64)))
        self.b = torch.nn.Parameter(torch.tensor(generator.normal(0, 0.2, (out, RANK)).astype(np.float32).astype(np.float64)))
        self.factor.data = self.factor.data.to(torch.float32).to(torch.float64)
        keep(f"{layer}.blocks", np.frombuffer(blocks, np.uint8))
        keep(f"{layer}.factors", self.factor.detach().numpy().astype(np.float32).reshape(-1))
        keep(f"{layer}.a", self.a.detach().numpy().astype(np.float32))
        keep(f"{layer}.b", self.b.detach().numpy().astype(np.float32))

    def forward(self, x):
        weight = (self.levels * self.scale * self.factor).reshape(self.b.shape[0], -1)
        return x @ weight.T + ALPHA / RANK * (x @ self.a.T) @ self.b.T


def load():
    config = transformers.LlamaConfig(**json.loads((MODEL / "config.json").read_text()), attn_implementation="eager")
    model = transformers.LlamaForCausalLM(config).to(torch.float64)
    model.load_state_dict({name: value.to(torch.float64) for name, value in load_file(MODEL / "model.safetensors").items()})
    return model


def states(model, tokens):
    """Outputs of every block, and logits."""
    seen = []
    hooks = [block.register_forward_hook(lambda _m, _i, out: seen.append(out[0] if isinstance(out, tuple) else out)) for block in model.model.layers]
    logits = model(tokens[None]).logits[0]
    for hook in hooks:
        hook.remove()
    return [state.reshape(len(tokens), -1) for state in seen], logits


teacher, student = load(), load()
trained = {}
for index, block in enumerate(student.model.layers):
    for short, module in MODULES.items():
        layer = f"blocks.{index}.{short}"
        parent, name = module.split(".")
        made = Student(layer, getattr(getattr(block, parent), name).weight.detach().numpy(), CODECS[short])
        setattr(getattr(block, parent), name, made)
        trained |= {f"{layer}.a": made.a, f"{layer}.b": made.b, f"{layer}.scales": made.factor}
    trained |= {f"blocks.{index}.{short}": getattr(block, module).weight for short, module in NORMS.items()}
trained["final_norm"] = student.model.norm.weight

first = torch.tensor(generator.integers(0, 96, 24))
second = torch.tensor(generator.integers(0, 96, 17))
mask = generator.integers(0, 2, 17).astype(np.uint8)
mask[0] = 0
windows = [(first, None), (second, mask)]
keep("window.0", first.numpy().astype(np.int32))
keep("window.1", second.numpy().astype(np.int32))
keep("mask.1", mask)

labels = sum(len(tokens) - 1 if m is None else int(m[1:].sum()) for tokens, m in windows)
judged = sum(len(tokens) if m is None else int(m[1:].sum()) for tokens, m in windows)
real = sum(len(tokens) for tokens, _ in windows)


def losses():
    """All terms over both windows."""
    terms = {name: torch.zeros(()) for name in ("ce", "kl", "kl-top", "last", "blocks")}
    for tokens, m in windows:
        own, logits = states(student, tokens)
        with torch.no_grad():
            theirs, reference = states(teacher, tokens)
        p, q = reference.log_softmax(-1), logits.log_softmax(-1)
        scored = torch.ones(len(tokens) - 1, dtype=torch.bool) if m is None else torch.tensor(m[1:].astype(bool))
        terms["ce"] = terms["ce"] - q[:-1].gather(1, tokens[1:, None])[scored].sum() / labels
        rows = torch.cat([scored, torch.tensor([m is None])])
        terms["kl"] = terms["kl"] + (p.exp() * (p - q)).sum(-1)[rows].sum() / judged
        log, chosen = p.topk(TOP, -1)
        rest, left = (1 - log.exp().sum(-1)).log(), 1 - q.gather(1, chosen).exp().sum(-1)
        top = (log.exp() * (log - q.gather(1, chosen))).sum(-1) + rest.exp() * (rest - left.log())
        terms["kl-top"] = terms["kl-top"] + top[rows].sum() / judged
        terms["last"] = terms["last"] + ((own[-1] - theirs[-1]) ** 2).sum() / (real * 32)
        for mine, wanted in zip(own, theirs):
            terms["blocks"] = terms["blocks"] + ((mine - wanted) ** 2).sum() / (wanted**2).sum() / len(windows) / len(own)
    return terms


CE = 120 / 2048
objectives = {
    "ce": {"ce": 1},
    "lrec": {"kl": 1, "ce": CE},
    "kd-topk": {"kl-top": 1, "ce": CE},
    "rilq": {"last": 0.5, "ce": 0.5},
    "block": {"blocks": 1},
}
values = {}
for name, weights in objectives.items():
    terms = losses()
    loss = sum(weight * terms[term] for term, weight in weights.items())
    values[name] = {"loss": loss.item(), "terms": {term: terms[term].item() for term in weights}}
    for array, gradient in zip(trained, torch.autograd.grad(loss, list(trained.values()), allow_unused=True)):
        gradient = torch.zeros_like(trained[array]) if gradient is None else gradient
        keep(f"{name}/{array}", gradient.numpy().astype(np.float32).reshape(-1))

(HERE / "training.bin").write_bytes(blob)
index = {"torch": torch.__version__, "rank": RANK, "alpha": ALPHA, "top": TOP, "codecs": {short: codec_name(*codec) for short, codec in CODECS.items()}, "objectives": values, "arrays": arrays}
(HERE / "training.json").write_text(json.dumps(index))
print(len(blob), values)
