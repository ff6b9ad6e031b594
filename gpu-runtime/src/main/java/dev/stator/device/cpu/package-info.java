/**
 * The device that runs steps on the CPU with the Vector API. {@link
 * dev.stator.device.cpu.CpuDevice} checks a step and hands it to the forward pass, which is
 * projections (packed matrices, tiles), attention over KV blocks, and a few element-wise functions,
 * shared out by a worker pool. {@code NUMERICS.md} says what each computes to the bit.
 */
package dev.stator.device.cpu;
