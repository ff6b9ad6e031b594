package dev.stator.transport;

import com.typesafe.config.Config;
import java.lang.foreign.MemorySegment;

/**
 * Checksums and copies of blocks, by C where this build and this processor have it, else by Java.
 * Both give the same bytes and checksums.
 *
 * <p><b>Threads:</b> any. <b>Ownership:</b> the caller keeps all memory open meanwhile.
 */
public sealed interface BlockKernels permits JavaBlockKernels, NativeBlockKernels {
  /**
   * The ones of {@code stator.transport.kernels}.
   *
   * @param config at {@code stator.transport}
   * @throws IllegalArgumentException for a name that is none, or {@code native} where there are
   *     none
   */
  static BlockKernels from(Config config) {
    final String name = config.getString("kernels");
    return switch (name) {
      case "auto" -> best();
      case "native" -> {
        if (best() instanceof NativeBlockKernels found) yield found;
        throw new IllegalArgumentException(
            "stator.transport.kernels is native, but there are none: "
                + NativeBlockKernels.find().obstacle());
      }
      case "java" -> new JavaBlockKernels("");
      default ->
          throw new IllegalArgumentException(
              "stator.transport.kernels is '" + name + "', expected auto, native or java");
    };
  }

  /** The fastest that run here. */
  static BlockKernels best() {
    final NativeBlockKernels.Found found = NativeBlockKernels.find();
    return found.kernels() != null ? found.kernels() : new JavaBlockKernels(found.obstacle());
  }

  /** For the user: which ones these are, and why they are not faster ones. */
  String title();

  /** CRC32C of the bytes, which are this process's own: their pages do not go. */
  int crc32c(MemorySegment bytes);

  /**
   * Copies bytes, reading each once.
   *
   * @param to as long as {@code from}, and apart from it
   * @return CRC32C of what lies there now
   * @throws InternalError when a page is not there any more; part may have been copied
   * @throws IllegalStateException when the bytes have been closed
   */
  int copy(MemorySegment from, MemorySegment to);
}
