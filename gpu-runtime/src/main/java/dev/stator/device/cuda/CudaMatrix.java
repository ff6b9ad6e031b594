package dev.stator.device.cuda;

import dev.stator.model.WeightType;

/**
 * Weights on the device.
 *
 * @param type how they are stored there
 * @param columns inputs
 */
record CudaMatrix(long address, WeightType type, int rows, int columns) {}
