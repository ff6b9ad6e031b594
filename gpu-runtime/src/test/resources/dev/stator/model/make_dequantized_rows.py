"""Writes dequantized-rows.json: rows of random blocks, and their values by the gguf package's decoder.

Made with gguf 0.19.0 and numpy 2.4.6 (pip install gguf==0.19.0), not needed by the tests:

    python3 make_dequantized_rows.py > dequantized-rows.json

`data` is the rows' blocks as they lie in a file, `values` their float32 values, little-endian; both base64.
"""
import base64
import json

import gguf
import numpy as np

# Type, and where a block's float16 scales and minimums are.
HALVES = {"Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108], "IQ4_NL": [0]}
ROWS, COLUMNS = 2, 512

random = np.random.default_rng(1)
fixtures = []
for name, halves in HALVES.items():
    quantization = gguf.GGMLQuantizationType[name]
    block_length, block_bytes = gguf.GGML_QUANT_SIZES[quantization]
    blocks = random.integers(0, 256, (ROWS * COLUMNS // block_length, block_bytes), dtype=np.uint8)
    for offset in halves:
        scales = (random.standard_normal((len(blocks), 1)) / 16).astype("<f2")
        blocks[:, offset : offset + 2] = scales.view(np.uint8)
    rows = blocks.reshape(ROWS, -1)
    values = gguf.quants.dequantize(rows, quantization).astype("<f4")
    assert values.shape == (ROWS, COLUMNS)
    encode = lambda array: base64.b64encode(array.tobytes()).decode()
    fixtures.append({"type": name, "rows": ROWS, "columns": COLUMNS, "data": encode(rows), "values": encode(values)})
print(json.dumps(fixtures, indent=1))
