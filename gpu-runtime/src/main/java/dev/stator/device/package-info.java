/**
 * What runs a step. {@link dev.stator.device.Device} is the engine's only view of the hardware;
 * {@code .cpu} is the Vector API device, {@code .simulated} computes arithmetic on tokens instead
 * of a model.
 */
package dev.stator.device;
