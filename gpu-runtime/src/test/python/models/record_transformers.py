"""Records the logits of tiny models of each family as the transformers library computes them.

usage: record_transformers.py OUT_FOLDER        (needs torch, transformers, safetensors, numpy)

A model is its config.json, its tensors' names and shapes (both as save_pretrained writes them) and a rule for the values,
so that a test can make the same files: value i of a tensor is center + k(name, i) * 2^-exponent, exact in float32.
"""
import json, math, os, sys, tempfile
import numpy as np
import torch, transformers
from safetensors import safe_open
from safetensors.numpy import save_file
from values import values


def rule(name, shape, norm_center):
    if len(shape) == 1:
        return (norm_center if "norm" in name else 0, 8)
    if "embed" in name:
        return (0, 7)
    return (0, 6 + math.ceil(math.log2(shape[-1]) / 2))


PLAIN = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def models():
    from transformers import (Gemma2Config, Gemma3TextConfig, LlamaConfig, MistralConfig, MixtralConfig, Phi3Config,
                              Qwen2Config, Qwen2MoeConfig, Qwen3Config, Qwen3MoeConfig)
    theta = lambda **more: {"rope_type": "default", "rope_theta": 10000.0, **more}
    yield "mistral", MistralConfig(**PLAIN, head_dim=16, sliding_window=9, rope_parameters=theta()), 1
    yield "qwen2-window", Qwen2Config(**{**PLAIN, "num_hidden_layers": 3}, use_sliding_window=True, sliding_window=7,
                                      max_window_layers=1, rope_parameters=theta()), 1
    yield "gemma2", Gemma2Config(**{**PLAIN, "num_hidden_layers": 3}, head_dim=16, sliding_window=8,
                                 query_pre_attn_scalar=24, attn_logit_softcapping=5.0, final_logit_softcapping=3.0,
                                 rope_parameters=theta()), 0
    yield "gemma3", Gemma3TextConfig(**{**PLAIN, "num_hidden_layers": 4}, head_dim=16, sliding_window=8,
                                     query_pre_attn_scalar=20, layer_types=["sliding_attention", "sliding_attention",
                                                                            "full_attention", "sliding_attention"],
                                     rope_parameters={
                                         "sliding_attention": theta(),
                                         "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}}), 0
    yield "mixtral", MixtralConfig(**PLAIN, head_dim=16, num_local_experts=5, num_experts_per_tok=2, sliding_window=None,
                                   rope_parameters=theta()), 1
    yield "qwen3moe", Qwen3MoeConfig(**PLAIN, head_dim=16, num_experts=6, num_experts_per_tok=3,
                                     moe_intermediate_size=24, norm_topk_prob=True, rope_parameters=theta()), 1
    yield "qwen3moe-plain", Qwen3MoeConfig(**PLAIN, head_dim=16, num_experts=4, num_experts_per_tok=2,
                                           moe_intermediate_size=24, norm_topk_prob=False, rope_parameters=theta()), 1
    yield "qwen2moe", Qwen2MoeConfig(**PLAIN, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=24,
                                     shared_expert_intermediate_size=40, norm_topk_prob=False,
                                     rope_parameters=theta()), 1
    yield "phi3", Phi3Config(**PLAIN, sliding_window=10, rope_parameters=theta(), original_max_position_embeddings=128), 1
    longrope = dict(rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=32)
    pairs = lambda n: dict(short_factor=[1 + i / 8 for i in range(n)], long_factor=[1 + i for i in range(n)])
    yield "phi3-long", Phi3Config(**PLAIN, rope_parameters={**longrope, **pairs(4)},
                                  original_max_position_embeddings=32), 1
    yield "phi3-partial", Phi3Config(**PLAIN, original_max_position_embeddings=32, rope_parameters={
        **longrope, **pairs(3), "partial_rotary_factor": 0.75}), 1
    yarn = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32)
    yield "llama-yarn", LlamaConfig(**PLAIN, head_dim=16, rope_parameters=yarn), 1
    yield "qwen3-yarn", Qwen3Config(**PLAIN, head_dim=16, rope_parameters={
        **yarn, "beta_fast": 8.0, "beta_slow": 0.5, "attention_factor": 1.25}), 1


def record(name, config, norm_center, folder):
    kind = transformers.AutoModelForCausalLM
    config.tie_word_embeddings = "gemma" in name
    torch.manual_seed(0)
    model = kind.from_config(config, attn_implementation="eager").float()
    model.save_pretrained(folder)
    with safe_open(folder + "/model.safetensors", "pt") as f:
        shapes = {key: list(f.get_slice(key).get_shape()) for key in f.keys()}
    rules = {key: rule(key, shape, norm_center) for key, shape in shapes.items()}
    save_file({key: values(key, shape, *rules[key]) for key, shape in shapes.items()}, folder + "/model.safetensors",
              metadata={"format": "pt"})
    model = kind.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    cases = []
    for length in (3, 45) if "phi3-" in name else (45,):
        tokens = [int(t) for t in (np.arange(length) * 37 + np.arange(length) ** 2 * 11 + 5) % 64]
        with torch.no_grad():
            logits = model(torch.tensor([tokens]), use_cache=False).logits[0].double().numpy()
        at = [length - 1] if length < 20 else [11, length - 1]
        if "phi3-" in name: at = [length - 1]
        for position in at:
            cases.append({"tokens": tokens[:position + 1] if "phi3-" not in name else tokens,
                          "logits": [round(float(x), 6) for x in logits[position]]})
    if name in ("mistral", "gemma3", "qwen3moe"):
        with torch.no_grad():
            states = model.model(torch.tensor([tokens]), use_cache=False).last_hidden_state[0].double().numpy()
        cases[-1]["mean"] = [round(float(x), 6) for x in states.mean(0)]
        cases[-1]["last"] = [round(float(x), 6) for x in states[-1]]
    text = json.load(open(folder + "/config.json"))
    return {"made": f"transformers {transformers.__version__}, torch {torch.__version__}, float32, eager attention",
            "config": text, "tensors": {k: [*rules[k], *shapes[k]] for k in sorted(shapes)}, "cases": cases}


def main():
    out = sys.argv[1]
    only = sys.argv[2:]
    for name, config, norm_center in models():
        if only and name not in only: continue
        with tempfile.TemporaryDirectory() as folder:
            recorded = record(name, config, norm_center, folder)
        lines = [f'"{k}": {json.dumps(v)}' for k, v in recorded.items() if k not in ("tensors", "cases")]
        lines.append('"tensors": {\n  ' + ",\n  ".join(f'"{k}": {v}' for k, v in recorded["tensors"].items()) + "}")
        lines.append('"cases": [\n  ' + ",\n  ".join(json.dumps(c) for c in recorded["cases"]) + "]")
        with open(os.path.join(out, name + ".json"), "w") as f:
            f.write("{" + ",\n".join(lines) + "}\n")
        print(name, [round(max(map(abs, c["logits"])), 3) for c in recorded["cases"]])


main()
