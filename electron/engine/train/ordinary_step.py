"""Peak memory and time of a LoRA step done the ordinary way: 16-bit base weights, every activation kept for the backward.

  python ordinary_step.py [float16|bfloat16] [rank] [tokens]            (needs torch, transformers)

A Llama of TinyLlama's shape (1.1 billion weights, random), branches on all linear layers in float32, Adam, batch 1. The number to hold
train.bench.ts against; run by hand, on the same machine.
"""
import json, resource, sys, time
import torch, transformers

kind, rank, tokens = (sys.argv[1:] + ["bfloat16", "16", "512"][len(sys.argv) - 1 :])[:3]
rank, tokens = int(rank), int(tokens)
dtype = getattr(torch, kind)


class Branch(torch.nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.a = torch.nn.Parameter(torch.randn(rank, layer.in_features) * 0.01)
        self.b = torch.nn.Parameter(torch.zeros(layer.out_features, rank))

    def forward(self, x):
        return self.layer(x) + ((x.float() @ self.a.T) @ self.b.T).to(x.dtype)


config = transformers.LlamaConfig(hidden_size=2048, intermediate_size=5632, num_hidden_layers=22, num_attention_heads=32, num_key_value_heads=4, vocab_size=32000, max_position_embeddings=2048)
torch.set_default_dtype(dtype)
model = transformers.LlamaForCausalLM(config)
torch.set_default_dtype(torch.float32)
for parameter in model.parameters():
    parameter.requires_grad_(False)
for block in model.model.layers:
    for parent in (block.self_attn, block.mlp):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, torch.nn.Linear):
                setattr(parent, name, Branch(layer))
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
adam = torch.optim.AdamW(trained, 1e-4)
ids = torch.arange(tokens)[None] * 37 % 32000
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before, began = peak(), time.time()
for _ in range(2):
    adam.zero_grad()
    loss = model(ids, labels=ids, use_cache=False).loss
    loss.backward()
    adam.step()
print(json.dumps({"what": "ordinary step", "base": kind, "rank": rank, "tokens": tokens, "trained": sum(p.numel() for p in trained), "loadedBytes": before, "peakBytes": peak(), "seconds": round((time.time() - began) / 2, 1)}))
