"""Three small networks with their gradients, Hessian-vector products and Hessian spectra by PyTorch in double precision.

For each: NAME.onnx (exported, parameters under their own names), NAME.safetensors (inputs, labels, directions `v.P`, gradients
`grad.P`, products `hvp.P`) and NAME.json (loss; per parameter of two or more axes the exact trace and the largest eigenvalues, by
magnitude, of its diagonal block of the Hessian). Needs torch, onnx and safetensors.
"""
import json
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))


class RMSNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(1 + 0.2 * torch.randn(size))

    def forward(self, x):
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5) * self.weight


class LayerNorm(nn.LayerNorm):
    """With weights of its own: the exporter merges parameters that are equal."""

    def __init__(self, size):
        super().__init__(size)
        nn.init.uniform_(self.weight, 0.8, 1.2)
        nn.init.uniform_(self.bias, -0.2, 0.2)


class Block(nn.Module):
    def __init__(self, size, heads, inner, norm):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = norm(size), norm(size)
        self.q, self.k, self.v, self.o = (nn.Linear(size, size, bias=False) for _ in range(4))
        self.gate, self.up = nn.Linear(size, inner, bias=False), nn.Linear(size, inner)
        self.down = nn.Linear(inner, size)

    def forward(self, x, mask):
        n, t, d = x.shape
        h = self.norm1(x)
        split = lambda y: y.view(n, t, self.heads, d // self.heads).transpose(1, 2)
        q, k, v = split(self.q(h)), split(self.k(h)), split(self.v(h))
        weights = torch.softmax(q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5 + mask, dim=-1)
        x = x + self.o((weights @ v).transpose(1, 2).reshape(n, t, d))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Transformer(nn.Module):
    """Decoder: causal attention, gated MLP, RMS norm in one block and layer norm in the other, tied head."""

    def __init__(self, vocabulary=19, size=16, heads=2, inner=24):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, size)
        self.blocks = nn.ModuleList([Block(size, heads, inner, RMSNorm), Block(size, heads, inner, LayerNorm)])
        self.norm = RMSNorm(size)
        self.register_buffer("mask", torch.full((6, 6), -1e4).triu(1))

    def forward(self, ids):
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, self.mask)
        return self.norm(x) @ self.embedding.weight.T


def seeded_norm(channels):
    norm = nn.BatchNorm2d(channels)
    norm.running_mean.uniform_(-0.2, 0.2)
    norm.running_var.uniform_(0.5, 1.5)
    nn.init.uniform_(norm.weight, 0.8, 1.2)
    nn.init.uniform_(norm.bias, -0.2, 0.2)
    return norm


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), seeded_norm(outputs)
        self.conv2, self.norm2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), seeded_norm(outputs)
        self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), seeded_norm(outputs)) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + self.down(x))


class ResNet(nn.Module):
    """Stem with max pooling, a plain and a strided residual block, mean pooling, classifier."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 6, 3, 2, 1), seeded_norm(6)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.block1, self.block2 = Residual(6, 6, 1), Residual(6, 8, 2)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.pool(F.relu(self.norm(self.stem(x))))
        return self.fc(self.block2(self.block1(x)).mean((2, 3)))


def hard_sigmoid(x):
    """Exported as one operator; PyTorch has no second derivative of it."""
    return F.hardsigmoid(x) if torch.onnx.is_in_onnx_export() else (x / 6 + 0.5).clamp(0, 1)


def hard_swish(x):
    return F.hardswish(x) if torch.onnx.is_in_onnx_export() else x * hard_sigmoid(x)


class Inverted(nn.Module):
    """Expansion, convolution by depth, squeeze and excitation, projection."""

    def __init__(self, size, inner, kernel, stride):
        super().__init__()
        self.expand, self.norm1 = nn.Conv2d(size, inner, 1, bias=False), seeded_norm(inner)
        self.depth, self.norm2 = nn.Conv2d(inner, inner, kernel, stride, kernel // 2, groups=inner, bias=False), seeded_norm(inner)
        self.squeeze, self.excite = nn.Conv2d(inner, 4, 1), nn.Conv2d(4, inner, 1)
        self.project, self.norm3 = nn.Conv2d(inner, size, 1, bias=False), seeded_norm(size)
        self.stride = stride

    def forward(self, x):
        y = hard_swish(self.norm1(self.expand(x)))
        y = hard_swish(self.norm2(self.depth(y)))
        y = y * hard_sigmoid(self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(y, 1)))))
        y = self.norm3(self.project(y))
        return x + y if self.stride == 1 else y


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 6, 3, 2, 1, bias=False), seeded_norm(6)
        self.block1, self.block2 = Inverted(6, 12, 3, 1), Inverted(6, 12, 5, 2)
        self.fc1, self.fc2 = nn.Linear(6, 10), nn.Linear(10, 5)

    def forward(self, x):
        x = self.block2(self.block1(hard_swish(self.norm(self.stem(x)))))
        return self.fc2(hard_swish(self.fc1(x.mean((2, 3)))))


def make(name, model, inputs, labels, dims):
    model = model.eval()
    torch.onnx.export(
        model, (inputs,), os.path.join(here, name + ".onnx"), opset_version=17, dynamo=False, do_constant_folding=False,
        training=torch.onnx.TrainingMode.PRESERVE, input_names=["input"], output_names=["logits"], dynamic_axes=dims,
    )
    model = model.double()
    x = inputs.double() if inputs.is_floating_point() else inputs
    parameters = dict(model.named_parameters())
    logits = model(x)
    loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))
    gradients = torch.autograd.grad(loss, list(parameters.values()), create_graph=True)
    directions = {p: (torch.randn_like(value).sign() * (0.5 + torch.rand_like(value))).float().double() for p, value in parameters.items()}
    along = sum((g * v).sum() for g, v in zip(gradients, directions.values()))
    products = torch.autograd.grad(along, list(parameters.values()), retain_graph=True)
    tensors = {"input": inputs, "labels": labels.to(torch.int32)}
    for p, g, h in zip(parameters, gradients, products):
        tensors |= {f"grad.{p}": g.detach().float().contiguous(), f"hvp.{p}": h.float().contiguous(), f"v.{p}": directions[p].float().contiguous()}
    save_file(tensors, os.path.join(here, name + ".safetensors"))
    layers = {}
    for p, g in zip(parameters, gradients):
        if parameters[p].dim() < 2:
            continue
        flat = g.reshape(-1)
        hessian = torch.cat([
            torch.autograd.grad(flat, parameters[p], part, retain_graph=True, is_grads_batched=True)[0].reshape(len(part), -1)
            for part in torch.eye(flat.numel(), dtype=torch.float64).split(128)
        ])
        eigenvalues = torch.linalg.eigvalsh((hessian + hessian.T) / 2)
        top = sorted(eigenvalues.tolist(), key=abs, reverse=True)[:3]
        layers[p] = {"shape": list(parameters[p].shape), "trace": hessian.trace().item(), "top": top, "smallest": eigenvalues[0].item(), "largest": eigenvalues[-1].item()}
    with open(os.path.join(here, name + ".json"), "w") as file:
        json.dump({"loss": loss.item(), "layers": layers}, file, indent=1)
        file.write("\n")


torch.manual_seed(5)
make("transformer", Transformer(), torch.randint(0, 19, (3, 6)), torch.randint(0, 19, (3, 6)), {"input": {0: "batch"}, "logits": {0: "batch"}})
make("resnet", ResNet(), torch.randn(4, 3, 20, 18), torch.randint(0, 5, (4,)), {"input": {0: "batch", 2: "height", 3: "width"}, "logits": {0: "batch"}})
make("mobilenet", MobileNet(), torch.randn(3, 3, 15, 16), torch.randint(0, 5, (3,)), {"input": {0: "batch"}, "logits": {0: "batch"}})
