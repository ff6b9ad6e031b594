/**
 * NVIDIA GPUs. {@link dev.stator.device.cuda.Driver} is the only view of the CUDA driver; the
 * kernels are {@code native-cuda}'s.
 */
package dev.stator.device.cuda;
