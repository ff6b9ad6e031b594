"""Weights that follow from a tensor's name, so that files of them need not be kept."""
import numpy as np

M64 = (1 << 64) - 1


def name_seed(name):
    """FNV-1a of the name's bytes."""
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & M64
    return h


def values(name, shape, center, exponent):
    """SplitMix64 of the name's seed and the index; the top byte, symmetric, is k."""
    n = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(name_seed(name)) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    k = np.maximum((z >> np.uint64(56)).astype(np.int64) - 128, -127)
    return (center + k * 2.0 ** -exponent).astype(np.float32).reshape(shape)
