package dev.stator.device.cuda;

import java.util.List;

/**
 * Projections of one input whose outputs stand side by side in a row.
 *
 * @param width values of an output row
 */
record CudaProducts(List<Part> parts, int width) {
  /**
   * @param offset where its outputs begin in a row
   * @param bias float32 [rows] on the device, 0 for none
   */
  record Part(CudaMatrix matrix, int offset, long bias) {}

  CudaProducts {
    parts = List.copyOf(parts);
  }
}
