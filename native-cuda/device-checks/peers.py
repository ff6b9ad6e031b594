"""What PyTorch and transformers reach on this device, to stand beside `stator bench kernels --device cuda`.

A dense bf16 product, the products of a decode step of the 8B shape (cuBLAS chooses by the number of tokens and promises no bits:
for the report's prices of the same bytes), attention alone, and the 8B and 1B shapes with random weights: a prompt of 2,048 tokens, and decode with
a static cache, compiled. Medians of repeats, by CUDA events.
"""

import statistics
import sys

try:
    import torch
except ImportError:
    sys.exit("there is no PyTorch here")


def seconds(work, repeats=10, warm_ups=3):
    for _ in range(warm_ups):
        work()
    times = []
    for _ in range(repeats):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return statistics.median(times)


def product():
    n = 8192
    a, b = (torch.randn(n, n, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    print(f"bf16 product of {n}: {2 * n**3 / seconds(lambda: a @ b) / 1e12:.0f} TFLOP/s")


def decode_products(layers=8):
    shapes = {"q, k, v": (6144, 4096), "attention out": (4096, 4096), "gate, up": (28672, 4096), "down": (4096, 14336)}
    for name, (rows, columns) in shapes.items():
        weights = [torch.randn(rows, columns, device="cuda", dtype=torch.bfloat16) for _ in range(layers)]
        for tokens in (1, 8, 16, 32, 64):
            x = torch.randn(tokens, columns, device="cuda", dtype=torch.bfloat16)
            x @ weights[0].T  # What cuBLAS does once must not be recorded.
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                for weight in weights:
                    x @ weight.T
            print(f"cuBLAS, {name} {rows} x {columns}, {tokens}: {seconds(graph.replay) / layers * 1e6:.2f} us")


def attention(length=2048, heads=32, kv_heads=8, size=128):
    q = torch.randn(1, heads, length, size, device="cuda", dtype=torch.bfloat16)
    k, v = (torch.randn(1, kv_heads, length, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    attend = torch.nn.functional.scaled_dot_product_attention
    took = seconds(lambda: attend(q, k, v, is_causal=True, enable_gqa=True))
    print(f"scaled_dot_product_attention, causal, {length} tokens, {heads}/{kv_heads} heads of {size}: {took * 1e6:.0f} us")


def model(title, layers, hidden, intermediate, heads, kv_heads):
    from transformers import LlamaConfig, LlamaForCausalLM, StaticCache

    config = LlamaConfig(
        num_hidden_layers=layers,
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        vocab_size=128256,
        max_position_embeddings=8192,
        rope_theta=500000.0,
        tie_word_embeddings=True,
    )
    with torch.device("cuda"):
        llama = LlamaForCausalLM(config).to(torch.bfloat16).eval()
    prompt = torch.randint(0, 128256, (1, 2048), device="cuda")
    with torch.inference_mode():
        took = seconds(lambda: llama(prompt, use_cache=False, logits_to_keep=1), repeats=5)
        print(f"{title} prefill of 2048: {2048 / took:.0f} tokens/s")
        cache = StaticCache(config=config, max_cache_len=128)
        step = torch.compile(llama, mode="reduce-overhead", fullgraph=True)
        token = prompt[:, :1]
        position = torch.tensor([64], device="cuda")
        took = seconds(lambda: step(token, past_key_values=cache, cache_position=position, use_cache=True))
        print(f"{title} decode, static cache, compiled: {1 / took:.0f} tokens/s")
    del llama
    torch.cuda.empty_cache()


if __name__ == "__main__":
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    for work in (
        product,
        decode_products,
        attention,
        lambda: model("1B", 16, 2048, 8192, 32, 8),
        lambda: model("8B", 32, 4096, 14336, 32, 8),
    ):
        try:
            work()
        except Exception as failure:  # One peer that does not run here is said, and the others go on.
            print("left out:", type(failure).__name__, failure)
