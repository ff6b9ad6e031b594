package dev.stator.cli.transfer;

import java.io.IOException;

/** One way to move the source's blocks into the target, both of one length. Used by one thread. */
interface Way extends AutoCloseable {
  String name();

  /** How many processes take part. */
  int processes();

  /** What has to be done before each {@link #moveAll} and is no part of it. */
  default void prepare() throws Exception {}

  /** Moves all blocks; returns when they have arrived. */
  void moveAll() throws Exception;

  /** Moves single blocks, one after the other; returns what each took, in nanoseconds. */
  long[] moveEach(int blocks) throws Exception;

  @Override
  void close() throws IOException;
}
