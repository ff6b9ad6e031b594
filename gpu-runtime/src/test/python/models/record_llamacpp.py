"""Records what llama.cpp answers from tiny GGUF files of each family.

usage: record_llamacpp.py OUT_FOLDER NODE_FOLDER [NAME ...]     (needs numpy; NODE_FOLDER has node-llama-cpp)

As in record_transformers.py a model is its metadata, its tensors' names and shapes and a rule for their values.
"""
import json, math, os, struct, subprocess, sys, tempfile
import numpy as np
from values import values

HERE = os.path.dirname(os.path.abspath(__file__))
TEXTS = ["the tea", " the  teeth", "", "the\n\nhen ", "\u00e9t\u00e9 \u2581 e", "th</s>e <0x0A>"]
DIM, LAYERS, HEADS, KV, HEAD, FFN, VOCABULARY = 32, 2, 4, 2, 16, 48, 271


def vocabulary():
    tokens = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)] + ["\u2581", *"etaoinshrd", "th"]
    n = len(tokens)
    assert n == VOCABULARY
    return {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.scores": [-1.0 - i for i in range(n)],
            "tokenizer.ggml.token_type": [2, 3, 3] + [6] * 256 + [1] * (n - 259),
            "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.unknown_token_id": 0}


PLAIN_SPACES = {"tokenizer.ggml.add_space_prefix": False}  # As in Gemma's files.


def shape_of(arch, layers=LAYERS, **more):
    keys = {"context_length": 64, "embedding_length": DIM, "block_count": layers, "feed_forward_length": FFN,
            "attention.head_count": HEADS, "attention.head_count_kv": KV, "attention.key_length": HEAD,
            "attention.value_length": HEAD, "rope.dimension_count": HEAD, "rope.freq_base": 10000.0,
            "attention.layer_norm_rms_epsilon": 1e-5, "vocab_size": VOCABULARY, **more}
    return {"general.architecture": arch, "general.name": "random", **{f"{arch}.{k}": v for k, v in keys.items()},
            **vocabulary()}


def tensors_of(layers=LAYERS, head=True, fused=False, gemma=False, head_norms=False, experts=0, shared=0, bias=False,
               expert_ffn=FFN, extra=None, size=HEAD):
    matrix = lambda *shape: [0, 6 + math.ceil(math.log2(shape[-1]) / 2), *shape]
    norm = lambda n: [1, 8, n]
    out = {"token_embd.weight": [0, 7, VOCABULARY, DIM]}
    if head: out["output.weight"] = matrix(VOCABULARY, DIM)
    out["output_norm.weight"] = norm(DIM)
    q, kv = HEADS * size, KV * size
    for i in range(layers):
        def put(name, value): out[f"blk.{i}.{name}"] = value
        put("attn_norm.weight", norm(DIM))
        if fused:
            put("attn_qkv.weight", matrix(q + 2 * kv, DIM))
        else:
            for name, rows in (("q", q), ("k", kv), ("v", kv)):
                put(f"attn_{name}.weight", matrix(rows, DIM))
                if bias: put(f"attn_{name}.bias", [0, 8, rows])
        if head_norms:
            put("attn_q_norm.weight", norm(size))
            put("attn_k_norm.weight", norm(size))
        put("attn_output.weight", matrix(DIM, q))
        if gemma: put("post_attention_norm.weight", norm(DIM))
        put("ffn_norm.weight", norm(DIM))
        if experts:
            put("ffn_gate_inp.weight", matrix(experts, DIM))
            put("ffn_gate_exps.weight", matrix(experts, expert_ffn, DIM))
            put("ffn_up_exps.weight", matrix(experts, expert_ffn, DIM))
            put("ffn_down_exps.weight", matrix(experts, DIM, expert_ffn))
            if shared:
                put("ffn_gate_inp_shexp.weight", [0, 9, DIM])
                put("ffn_gate_shexp.weight", matrix(shared, DIM))
                put("ffn_up_shexp.weight", matrix(shared, DIM))
                put("ffn_down_shexp.weight", matrix(DIM, shared))
        elif fused:
            put("ffn_up.weight", matrix(2 * FFN, DIM))
            put("ffn_down.weight", matrix(DIM, FFN))
        else:
            put("ffn_gate.weight", matrix(FFN, DIM))
            put("ffn_up.weight", matrix(FFN, DIM))
            put("ffn_down.weight", matrix(DIM, FFN))
        if gemma: put("post_ffw_norm.weight", norm(DIM))
    out.update(extra or {})
    return out


def models():
    yield "gguf-mixtral", shape_of("llama", expert_count=5, expert_used_count=2), tensors_of(experts=5)
    yield "gguf-qwen2moe", shape_of("qwen2moe", expert_count=4, expert_used_count=2, expert_feed_forward_length=24,
                                    expert_shared_feed_forward_length=40, **{
                                        "attention.key_length": 8, "attention.value_length": 8,
                                        "rope.dimension_count": 8}), \
        tensors_of(experts=4, shared=40, bias=True, expert_ffn=24, size=8)
    yield "gguf-qwen3moe", shape_of("qwen3moe", expert_count=6, expert_used_count=3, expert_feed_forward_length=24), \
        tensors_of(experts=6, head_norms=True, expert_ffn=24)
    yield "gguf-gemma2", shape_of("gemma2", 4, **{"attention.sliding_window": 8, "attn_logit_softcapping": 5.0,
                                                  "final_logit_softcapping": 3.0}) | PLAIN_SPACES, \
        tensors_of(4, head=False, gemma=True)
    yield "gguf-gemma3", shape_of("gemma3", 7, **{"attention.sliding_window": 8, "rope.freq_base": 1e6,
                                                  "rope.scaling.type": "linear", "rope.scaling.factor": 8.0}) | PLAIN_SPACES, \
        tensors_of(7, head=False, gemma=True, head_norms=True)
    # llama.cpp switches Phi-3's window off, so here it is longer than the prompts.
    phi3 = {"attention.key_length": 8, "attention.value_length": 8, "attention.sliding_window": 64}
    yield "gguf-phi3", shape_of("phi3", **phi3, **{"rope.dimension_count": 8}), tensors_of(fused=True, size=8)
    factors = {"rope_factors_long.weight": [3, 6, 3], "rope_factors_short.weight": [2, 7, 3]}
    # llama.cpp rounds a context up to 256 tokens; the longer context chooses.
    for name, original in (("long", 32), ("short", 512)):
        yield f"gguf-phi3-{name}", shape_of("phi3", **phi3, **{
            "rope.dimension_count": 6, "rope.scaling.attn_factor": 1.25,
            "rope.scaling.original_context_length": original, "context_length": 512}), tensors_of(fused=True, extra=factors, size=8)
    yield "gguf-qwen3-yarn", shape_of("qwen3", **{
        "rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 16}), \
        tensors_of(head_norms=True)


def text(s): b = s.encode(); return struct.pack("<Q", len(b)) + b


def entry(key, value):
    if isinstance(value, list):
        kind, pack = {str: (8, text), int: (5, lambda v: struct.pack("<i", v)),
                      float: (6, lambda v: struct.pack("<f", v))}[type(value[0])]
        return text(key) + struct.pack("<IIQ", 9, kind, len(value)) + b"".join(map(pack, value))
    if isinstance(value, bool): return text(key) + struct.pack("<IB", 7, value)
    kind, data = {str: lambda: (8, text(value)), int: lambda: (4, struct.pack("<I", value)),
                  float: lambda: (6, struct.pack("<f", value))}[type(value)]()
    return text(key) + struct.pack("<I", kind) + data


def write_gguf(path, metadata, tensors):
    head, data = b"", b""
    for name, (center, exponent, *shape) in tensors.items():
        head += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", d) for d in reversed(shape))
        head += struct.pack("<IQ", 0, len(data))
        data += values(name, shape, center, exponent).astype("<f4").tobytes()
        data += b"\0" * (-len(data) % 32)
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    out += b"".join(entry(k, v) for k, v in metadata.items()) + head
    with open(path, "wb") as f:
        f.write(out + b"\0" * (-len(out) % 32) + data)


def main():
    out, node, only = sys.argv[1], sys.argv[2], sys.argv[3:]
    for name, metadata, tensors in models():
        if only and name not in only: continue
        prompts = [[int(t) for t in (np.arange(n) * 37 + np.arange(n) ** 2 * 11 + 5) % 64] for n in (12, 45)]
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/model.gguf"
            write_gguf(path, metadata, tensors)
            run = subprocess.run(["node", HERE + "/llamacpp_logits.mjs", path, json.dumps(prompts), json.dumps(TEXTS)], cwd=node,
                                 capture_output=True, text=True, timeout=120)
        if run.returncode or not run.stdout: sys.exit(name + ": " + run.stdout[-500:] + run.stderr[-3000:])
        answers = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("[")]
        texts = [{"text": t, "tokens": a} for t, a in zip(TEXTS, answers[2:], strict=True)]
        cases = [{"tokens": p, "log_probabilities": a} for p, a in zip(prompts, answers[:2], strict=True)]
        with open(os.path.join(out, name + ".json"), "w") as f:
            f.write('{"made": "llama.cpp of node-llama-cpp 3.22.1",\n"metadata": ' + json.dumps(metadata))
            f.write(',\n"tensors": {\n  ' + ",\n  ".join(f'"{k}": {v}' for k, v in tensors.items()))
            f.write('},\n"texts": ' + json.dumps(texts))
            f.write(',\n"cases": [\n  ' + ",\n  ".join(map(json.dumps, cases)) + "]}\n")
        print(name, [len(a) for a in answers], [round(max(a), 3) for a in answers[:2]])


if __name__ == "__main__":
    main()
