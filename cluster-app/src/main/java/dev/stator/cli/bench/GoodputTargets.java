package dev.stator.cli.bench;

import dev.stator.cli.Durations;
import dev.stator.cli.UsageException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a request must meet to count as good. What is {@code null} is not asked for.
 *
 * @param itl of the request's mean inter-token latency
 */
public record GoodputTargets(Duration ttft, Duration itl, Duration endToEnd) {
  /** Asks for nothing. */
  public static final GoodputTargets NONE = new GoodputTargets(null, null, null);

  /**
   * Targets from {@code ttft=200ms,itl=50ms,e2e=2s}; any of the three may be missing.
   *
   * @throws UsageException when {@code text} is not that
   */
  public static GoodputTargets parse(String text) {
    final Map<String, Duration> targets = new LinkedHashMap<>();
    for (String part : text.split(",")) {
      final String[] pair = part.strip().split("=", 2);
      if (pair.length != 2 || !pair[0].matches("ttft|itl|e2e")) {
        throw new UsageException(
            "--goodput wants targets such as ttft=200ms,itl=50ms,e2e=2s: '" + text + "'");
      }
      targets.put(pair[0], Durations.parse("--goodput", pair[1]));
    }
    return new GoodputTargets(targets.get("ttft"), targets.get("itl"), targets.get("e2e"));
  }

  boolean isEmpty() {
    return ttft == null && itl == null && endToEnd == null;
  }

  boolean areMetBy(RequestResult result) {
    return result.isOk()
        && result.hasTokens()
        && within(ttft, result.ttftNs())
        && within(itl, result.tokenIntervalNs())
        && within(endToEnd, result.endToEndNs());
  }

  @Override
  public String toString() {
    final StringBuilder text = new StringBuilder();
    append(text, "TTFT", ttft);
    append(text, "ITL", itl);
    append(text, "end-to-end", endToEnd);
    return text.toString();
  }

  private static boolean within(Duration target, double ns) {
    return target == null || ns <= target.toNanos();
  }

  private static void append(StringBuilder text, String what, Duration target) {
    if (target == null) return;
    if (!text.isEmpty()) text.append(", ");
    text.append(what).append(" <= ").append(Durations.format(target));
  }
}
