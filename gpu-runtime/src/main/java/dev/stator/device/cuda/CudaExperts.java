package dev.stator.device.cuda;

/**
 * A layer's mixture on the device. Matrices of the experts are stacks: one expert's rows behind the
 * other's, {@link CudaMatrix#rows} being those of one.
 *
 * @param gateUp an expert's gate, then its up
 * @param shared what every token goes through; {@code null} when there is none
 */
record CudaExperts(CudaMatrix router, CudaMatrix gateUp, CudaMatrix down, Shared shared) {
  /**
   * @param gate one row, whose product's sigmoid is the share of the output
   */
  record Shared(CudaMatrix gate, CudaProducts gateUp, CudaMatrix down) {}
}
