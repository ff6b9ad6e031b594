package dev.stator.device;

import java.util.List;

/** Memory as a sum of named terms, printed at start. */
public record MemoryPlan(List<Term> terms) {
  /** One line of the sum, such as {@code KV pool: 512 blocks of 96 KiB}. */
  public record Term(String what, long bytes) {}

  public MemoryPlan {
    terms = List.copyOf(terms);
  }

  public long totalBytes() {
    return terms.stream().mapToLong(Term::bytes).sum();
  }
}
