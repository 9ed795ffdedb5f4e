"""Tiny random models of every decoder family, with the logits transformers gives for them.

  python make_family_goldens.py            (needs torch, transformers, safetensors, gguf)

For each family: NAME/config.json and NAME/model.safetensors (float16 weights), NAME/model.gguf (the same weights by llama.cpp's
conventions, written with the gguf package), NAME/logits.bin (float32, [sequences, tokens, vocabulary], computed in float64), and
for variants that change only the configuration NAME/VARIANT.json with NAME/VARIANT.bin (and NAME/VARIANT.gguf where GGUF can say it). index.json lists them with the tokens.
Norms and biases are random too, so that a forgotten one shows; weights are large enough for attention to matter.
"""
import copy, json, math, pathlib, shutil
import numpy as np, torch, transformers, gguf
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
VOCABULARY, TOKENS = 96, 24
ROPE_KEYS = ("rope_parameters", "rope_theta", "rope_scaling", "rope_local_base_freq", "partial_rotary_factor")
tokens = np.random.default_rng(7).integers(0, VOCABULARY, (2, TOKENS))

base = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=64)
# The configurations are written as model hubs have them: most keys in the form of transformers 4.
families = {
    "llama": dict(base, model_type="llama", hidden_act="silu", rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=False),
    "smollm": dict(base, model_type="llama", num_attention_heads=4, num_key_value_heads=1, attention_bias=True, mlp_bias=True, hidden_act="silu",
                   rms_norm_eps=1e-5, tie_word_embeddings=True, rope_theta=100000, head_dim=12),
    "mistral": dict(base, model_type="mistral", hidden_act="silu", rms_norm_eps=1e-5, rope_theta=10000.0, sliding_window=7, head_dim=8, tie_word_embeddings=False),
    "qwen2": dict(base, model_type="qwen2", hidden_act="silu", rms_norm_eps=1e-6, rope_theta=1000000.0, use_sliding_window=False, sliding_window=8, max_window_layers=1,
                  tie_word_embeddings=True),
    "qwen3": dict(base, model_type="qwen3", hidden_act="silu", rms_norm_eps=1e-6, rope_theta=1000000, head_dim=16, attention_bias=False, use_sliding_window=False,
                  sliding_window=None, max_window_layers=2, tie_word_embeddings=False),
    "gemma2": dict(base, model_type="gemma2", num_hidden_layers=2, hidden_activation="gelu_pytorch_tanh", hidden_act="gelu_pytorch_tanh", rms_norm_eps=1e-6, rope_theta=10000.0,
                   head_dim=12, query_pre_attn_scalar=12, attn_logit_softcapping=5.0, final_logit_softcapping=25.0, sliding_window=6),
    "gemma3": dict(base, model_type="gemma3_text", num_hidden_layers=3, hidden_activation="gelu_pytorch_tanh", rms_norm_eps=1e-6, rope_theta=1000000.0, rope_local_base_freq=10000.0,
                   head_dim=12, query_pre_attn_scalar=12, sliding_window=6, sliding_window_pattern=3, rope_scaling=None),
    "phi3": dict(base, model_type="phi3", hidden_act="silu", rms_norm_eps=1e-5, rope_theta=10000.0, original_max_position_embeddings=64, sliding_window=9, tie_word_embeddings=False,
                 bos_token_id=1, eos_token_id=2, pad_token_id=2),
    "gpt2": dict(model_type="gpt2", vocab_size=VOCABULARY, n_positions=32, n_ctx=32, n_embd=32, n_layer=2, n_head=4, activation_function="gelu_new", layer_norm_epsilon=1e-5,
                 bos_token_id=1, eos_token_id=1),
    "opt": dict(model_type="opt", vocab_size=VOCABULARY, hidden_size=32, word_embed_proj_dim=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4,
                max_position_embeddings=32, do_layer_norm_before=True, activation_function="relu"),
    "opt-post": dict(model_type="opt", vocab_size=VOCABULARY, hidden_size=32, word_embed_proj_dim=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4,
                     max_position_embeddings=32, do_layer_norm_before=False, activation_function="gelu"),
    "bloom": dict(model_type="bloom", vocab_size=VOCABULARY, hidden_size=36, n_layer=2, n_head=6, layer_norm_epsilon=1e-5),
}
yarn = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
long = {"type": "longrope", "short_factor": [1.0, 1.1, 1.3, 1.7], "long_factor": [1.0, 1.5, 2.5, 4.0]}
variants = {
    "llama": {
        "linear": dict(rope_scaling={"type": "linear", "factor": 2.5}),
        "dynamic": dict(rope_scaling={"type": "dynamic", "factor": 2.0}, max_position_embeddings=16),
        "llama3": dict(rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}),
        "yarn": dict(rope_scaling=yarn),
        "new-keys": dict(rope_theta=None, rope_scaling=None, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 5000.0}),
    },
    "qwen2": {"sliding": dict(use_sliding_window=True)},
    "gemma2": {"scale": dict(query_pre_attn_scalar=7)},
    "gemma3": {"linear": dict(rope_scaling={"rope_type": "linear", "factor": 8.0}),
               "new-keys": dict(sliding_window_pattern=None, layer_types=["full_attention", "sliding_attention", "sliding_attention"], rope_theta=None, rope_local_base_freq=None,
                                rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 50000.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 500.0}})},
    "phi3": {"long": dict(rope_scaling=long, original_max_position_embeddings=16),
             "short": dict(rope_scaling=long, original_max_position_embeddings=32),
             "partial": dict(partial_rotary_factor=0.5, rope_scaling=None)},
}


def configuration(values):
    values = {key: value for key, value in copy.deepcopy(values).items() if value is not None or key == "sliding_window"}
    kind = values.pop("model_type")
    config = transformers.AutoConfig.for_model(kind, **values)
    config._attn_implementation = "eager"
    return config


def logits(config, state):
    model = transformers.AutoModelForCausalLM.from_config(config)
    if state is not None:
        model.load_state_dict(state, strict=False)
    model = model.eval().double()
    with torch.no_grad():
        return model, model(torch.tensor(tokens), use_cache=False).logits.float().numpy()


def randomize(model, seed):
    """Random float16-exact values: matrices of gain about 1.3, norms about 1 (about 0 where the model adds 1), biases 0.3."""
    generator = torch.Generator().manual_seed(seed)
    offset = 0.0 if "gemma" in model.config.model_type else 1.0
    state = {}
    for name, value in model.state_dict().items():
        noise = torch.randn(value.shape, generator=generator)
        if value.dim() == 2 and "embed" not in name and "wte" not in name and "wpe" not in name:
            noise = noise * 1.3 / math.sqrt(value.shape[0] if "c_" in name else value.shape[1])
        elif value.dim() == 2:
            noise = noise * 0.7
        elif name.endswith("bias"):
            noise = noise * 0.3
        else:
            noise = offset + noise * 0.25
        state[name] = noise.half().float()
    return state


def tie(state, config):
    """Drops the copies of tied tensors, as files on hubs do."""
    if getattr(config, "tie_word_embeddings", True) and "lm_head.weight" in state:
        state["lm_head.weight"] = state[next(name for name in state if name.endswith(("embed_tokens.weight", "wte.weight", "word_embeddings.weight")))]
    return {name: value for name, value in state.items() if name != "lm_head.weight" or not getattr(config, "tie_word_embeddings", True)}


def permute(weight, heads):
    """Rows of a rotary projection in llama.cpp's order for the llama architecture: pairs side by side."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def llama3_factors(rope, head_size):
    """What llama.cpp's converter stores as rope_freqs: the divisor of every frequency."""
    low, high, original = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
    factors = []
    for pair in range(head_size // 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (2 * pair / head_size)
        if wavelength < original / high: factors.append(1.0)
        elif wavelength > original / low: factors.append(rope["factor"])
        else:
            smooth = (original / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(factors, np.float32)


def write_gguf(path, name, values, state, config):
    kind = values["model_type"]
    arch = {"llama": "llama", "mistral": "llama", "gemma3_text": "gemma3"}.get(kind, kind)
    heads = getattr(config, "num_attention_heads", None) or config.n_head
    kv = getattr(config, "num_key_value_heads", heads)
    layers, hidden = config.num_hidden_layers, config.hidden_size
    head_size = getattr(config, "head_dim", None) or hidden // heads
    w = gguf.GGUFWriter(path, arch)
    w.add_name(f"golden {name}")
    w.add_block_count(layers)
    w.add_context_length(getattr(config, "max_position_embeddings", 2048))
    w.add_embedding_length(hidden)
    w.add_feed_forward_length(getattr(config, "intermediate_size", None) or 4 * hidden)
    w.add_head_count(heads)
    w.add_head_count_kv(kv)
    w.add_vocab_size(VOCABULARY)
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    if arch in ("gpt2", "bloom"):
        w.add_layer_norm_eps(config.layer_norm_epsilon)
    else:
        w.add_layer_norm_rms_eps(config.rms_norm_eps)
        w.add_rope_freq_base(float(values["rope_theta"]))
        if arch == "llama" or arch == "phi3":
            w.add_rope_dimension_count(head_size)
        if "head_dim" in values:
            w.add_key_length(head_size)
            w.add_value_length(head_size)
    scaling = values.get("rope_scaling") or {}
    kind_of_scaling = scaling.get("rope_type", scaling.get("type"))
    if kind_of_scaling in ("linear", "yarn"):
        w.add_rope_scaling_type(gguf.RopeScalingType(kind_of_scaling))
        w.add_rope_scaling_factor(scaling["factor"])
    if kind_of_scaling == "yarn":
        w.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
    if kind_of_scaling == "llama3":
        w.add_tensor("rope_freqs.weight", llama3_factors(config.rope_parameters, head_size))
    if kind_of_scaling == "longrope":
        original = values["original_max_position_embeddings"]
        w.add_rope_scaling_orig_ctx_len(original)
        w.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(config.max_position_embeddings / original) / math.log(original)))
        w.add_tensor("rope_factors_long.weight", np.array(scaling["long_factor"], np.float32))
        w.add_tensor("rope_factors_short.weight", np.array(scaling["short_factor"], np.float32))
    if arch in ("gemma2", "gemma3", "phi3"):
        w.add_sliding_window(config.sliding_window)
    if arch == "gemma3":
        w.add_sliding_window_pattern(values["sliding_window_pattern"])
    if arch == "gemma2":
        w.add_attn_logit_softcapping(config.attn_logit_softcapping)
        w.add_final_logit_softcapping(config.final_logit_softcapping)
    mapping = gguf.get_tensor_name_map(next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == arch), layers)
    for hf, value in state.items():
        data = value.numpy()
        if hf.endswith((".attn.bias", ".attn.masked_bias")):
            continue
        if kind in ("llama", "mistral"):
            if ".q_proj." in hf: data = permute(data, heads)
            if ".k_proj." in hf: data = permute(data, kv)
        if arch == "gpt2" and hf.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            data = data.T
        if arch == "bloom" and "query_key_value" in hf:
            parts = data.reshape(heads, 3, head_size, *data.shape[1:])
            data = np.concatenate([parts[:, part].reshape(hidden, *data.shape[1:]) for part in range(3)])
        if arch.startswith("gemma") and hf.endswith("norm.weight"):
            data = data + 1
        new = mapping.get_name(hf.removeprefix("transformer."), try_suffixes=(".weight", ".bias"))
        assert new is not None, hf
        data = np.ascontiguousarray(data).astype(np.float16 if data.ndim == 2 and "position" not in new else np.float32)
        w.add_tensor(new, data)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def rounded(state):
    return {name: value.half().contiguous() for name, value in state.items()}


def main():
    index = []
    for seed, (name, values) in enumerate(families.items()):
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        torch.manual_seed(seed)
        config = configuration(values)
        state = randomize(transformers.AutoModelForCausalLM.from_config(config), seed)
        full = state
        state = tie(state, config)
        model, golden = logits(config, full)
        (folder / "config.json").write_text(json.dumps({"architectures": [type(model).__name__], **values}, indent=1) + "\n")
        golden.astype("<f4").tofile(folder / "logits.bin")
        if name == "gpt2":  # as its hub has it: no prefix, and the causal mask stored as a tensor
            stored = {key.removeprefix("transformer."): value for key, value in state.items()}
            for layer in range(config.n_layer):
                stored[f"h.{layer}.attn.bias"] = torch.tril(torch.ones(1, 1, 32, 32))
        else:
            stored = state
        save_file(rounded(stored), folder / "model.safetensors", metadata={"format": "pt"})
        has_gguf = values["model_type"] != "opt" and name != "mistral"  # OPT has no GGUF architecture; llama's has no sliding window
        if has_gguf:
            write_gguf(folder / "model.gguf", name, values, state, config)
        names = []
        for variant, changes in variants.get(name, {}).items():
            changed = {**values, **changes}
            _, golden_variant = logits(configuration(changed), full)
            golden_variant.astype("<f4").tofile(folder / f"{variant}.bin")
            (folder / f"{variant}.json").write_text(json.dumps({key: value for key, value in changed.items() if value is not None or key == "sliding_window"}, indent=1) + "\n")
            difference = float(np.abs(golden_variant - golden).max())
            assert difference > 1e-2, (name, variant, difference)
            in_gguf = has_gguf and (variant in ("llama3", "yarn", "long") or (name, variant) in (("llama", "linear"), ("gemma3", "linear")))
            if in_gguf:
                write_gguf(folder / f"{variant}.gguf", f"{name} {variant}", changed, state, configuration(changed))
            names.append({"name": variant, "gguf": in_gguf})
        print(name, "largest logit", float(np.abs(golden).max()), "parameters", sum(value.numel() for value in state.values()))
        index.append({"name": name, "gguf": has_gguf, "variants": names})
    (HERE / "index.json").write_text(json.dumps({"transformers": transformers.__version__, "vocabulary": VOCABULARY, "tokens": tokens.tolist(), "models": index}) + "\n")


main()
