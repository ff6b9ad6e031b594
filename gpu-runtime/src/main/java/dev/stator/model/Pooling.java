package dev.stator.model;

/** How the hidden states of a text's tokens become one embedding. */
public enum Pooling {
  /** The average over all tokens. */
  MEAN,
  /** That of the last token. */
  LAST
}
