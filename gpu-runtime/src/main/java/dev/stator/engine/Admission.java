package dev.stator.engine;

import java.util.List;

/**
 * The engine's answer to a request for work. Refusals are expected under load, so they are values.
 */
public sealed interface Admission {
  /**
   * The request has a place.
   *
   * @param cachedTokens prompt tokens whose blocks are on the device already, or, when blocks were
   *     reserved, are being copied there from the host
   * @param blocksToFill device blocks that a remote prefill is to fill, in sequence order, behind
   *     the cached ones, when blocks were reserved; the cached ones, when they are lent; else empty
   */
  record Admitted(int cachedTokens, List<Integer> blocksToFill) implements Admission {
    public Admitted {
      blocksToFill = List.copyOf(blocksToFill);
    }
  }

  /**
   * A limit stands in the way; nothing was taken.
   *
   * @param limit the limit's name in the configuration, such as {@code engine.waiting-max}
   * @param value what the request would have needed
   * @param max what the limit allows, now
   * @param passing whether trying again later makes sense
   */
  record Refused(String limit, long value, long max, boolean passing) implements Admission {}
}
