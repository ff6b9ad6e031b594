package dev.stator.cli.bench;

/**
 * One request, measured. Times are nanoseconds after the start of the run.
 *
 * @param intendedNs when it should have been sent: its arrival in an open loop, its sending in a
 *     closed one. Latencies count from here, so that a generator or server that falls behind hides
 *     nothing (coordinated omission)
 * @param sentNs when it was sent
 */
public record RequestResult(int index, long intendedNs, long sentNs, Response response) {
  /** Whether the whole answer came. */
  public boolean isOk() {
    return response.failure() == null;
  }

  /** Time to first token; only for a request that got one. */
  public long ttftNs() {
    return response.chunkNs()[0] - intendedNs;
  }

  long endToEndNs() {
    return response.endNs() - intendedNs;
  }

  /** Whether it got a token. */
  public boolean hasTokens() {
    return response.chunkNs().length > 0;
  }

  /** Answer tokens: the server's count, else the number of chunks. */
  int outputTokens() {
    return response.usage() == null
        ? response.chunkNs().length
        : response.usage().completionTokens();
  }

  /** Time per output token after the first; 0 for an answer of one token. */
  public double tokenIntervalNs() {
    final long[] chunkNs = response.chunkNs();
    return outputTokens() < 2
        ? 0
        : (double) (chunkNs[chunkNs.length - 1] - chunkNs[0]) / (outputTokens() - 1);
  }
}
