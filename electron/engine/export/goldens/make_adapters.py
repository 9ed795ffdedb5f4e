"""Small LoRA adapters beside the golden models of the decoder families, as PEFT saves them, and as GGUF by llama.cpp's conventions.

  python make_adapters.py            (needs torch, transformers, peft, gguf)

For each family: NAME/adapter_config.json, NAME/adapter_model.safetensors (saved by PEFT), NAME/adapter.gguf (written with the gguf
package, float32), NAME/logits.bin (float32 of float64, [sequences, tokens, vocabulary]) of the model with its adapter.
"""
import json, pathlib
import gguf, numpy as np, torch, transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.numpy import load_file

HERE = pathlib.Path(__file__).parent
MODELS = HERE.parent.parent / "session" / "goldens"
tokens = torch.tensor(json.loads((MODELS / "index.json").read_text())["tokens"])

# target modules, rank_pattern, alpha_pattern; the usual rank is 3 and alpha 6
cases = {
    "llama": (["q_proj", "k_proj", "o_proj", "down_proj"], {"layers.1.self_attn.q_proj": 5}, {"layers.0.mlp.down_proj": 1.5}),
    "phi3": (["qkv_proj", "gate_up_proj", "o_proj"], {}, {}),
    "gpt2": (["c_attn", "c_fc"], {"h.0.attn.c_attn": 2}, {}),
    "bloom": (["query_key_value", "dense_4h_to_h"], {}, {}),
    "gemma2": (["q_proj", "gate_proj"], {}, {}),
}
NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.o_proj": "attn_output", "self_attn.qkv_proj": "attn_qkv", "mlp.gate_up_proj": "ffn_up",
    "mlp.gate_proj": "ffn_gate", "mlp.down_proj": "ffn_down", "attn.c_attn": "attn_qkv", "mlp.c_fc": "ffn_up", "self_attention.query_key_value": "attn_qkv", "mlp.dense_4h_to_h": "ffn_down",
}


def permute(weight, heads):
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def arrange(module, b, config):
    """Rows of B as llama.cpp's converter moves those of the weight."""
    if config.model_type == "llama" and module.endswith("q_proj"):
        return permute(b, config.num_attention_heads)
    if config.model_type == "llama" and module.endswith("k_proj"):
        return permute(b, config.num_key_value_heads)
    if config.model_type == "bloom" and module.endswith("query_key_value"):
        heads = b.reshape(config.n_head, 3, -1, b.shape[-1])
        return np.concatenate([heads[:, part].reshape(-1, b.shape[-1]) for part in range(3)])
    return b


def write_gguf(name, folder, config):
    """One alpha a file: the first, and what other layers have besides goes into their B."""
    stored = load_file(folder / "adapter_model.safetensors")
    settings = json.loads((folder / "adapter_config.json").read_text())
    alpha = float(settings["lora_alpha"])
    writer = gguf.GGUFWriter(folder / "adapter.gguf", config.model_type)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for key, a in stored.items():
        if ".lora_A." not in key:
            continue
        module = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        b = stored[key.replace("lora_A", "lora_B")]
        own = next((value for pattern, value in settings["alpha_pattern"].items() if module.endswith(pattern)), alpha)
        block = next(part for part in module.split(".") if part.isdigit())
        tensor = f"blk.{block}.{next(mapped for part, mapped in NAMES.items() if module.endswith(part))}.weight"
        writer.add_tensor(f"{tensor}.lora_a", np.ascontiguousarray(a))
        writer.add_tensor(f"{tensor}.lora_b", np.ascontiguousarray(arrange(module, b, config) * np.float32(own / alpha)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


for name, (targets, ranks, alphas) in cases.items():
    torch.manual_seed(11)
    folder = HERE / "adapters" / name
    base = transformers.AutoModelForCausalLM.from_pretrained(MODELS / name, dtype=torch.float32, attn_implementation="eager")
    config = LoraConfig(r=3, lora_alpha=6, target_modules=targets, rank_pattern=ranks, alpha_pattern=alphas, task_type="CAUSAL_LM", fan_in_fan_out=name == "gpt2", init_lora_weights=False)
    model = get_peft_model(base, config)
    with torch.no_grad():
        for key, value in model.named_parameters():
            if "lora_" in key:
                value.copy_((torch.randn(value.shape) * 0.15).half().float())
    model.save_pretrained(folder)
    settings = json.loads((folder / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = name
    (folder / "adapter_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    (folder / "README.md").unlink(missing_ok=True)
    fresh = PeftModel.from_pretrained(transformers.AutoModelForCausalLM.from_pretrained(MODELS / name, dtype=torch.float32, attn_implementation="eager"), folder).eval().double()
    with torch.no_grad():
        (folder / "logits.bin").write_bytes(fresh(tokens, use_cache=False).logits.float().numpy().tobytes())
    write_gguf(name, folder, base.config)
