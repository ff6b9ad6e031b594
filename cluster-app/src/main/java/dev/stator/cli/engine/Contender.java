package dev.stator.cli.engine;

import java.util.OptionalDouble;

/** Who is measured, with a number of threads. <b>Threads:</b> the caller's. */
interface Contender extends AutoCloseable {
  /** For the user, one word. */
  String name();

  /** What it is, such as the kernels that run, load time and memory. */
  String description();

  /** Does whatever makes the first round like the others. */
  void warmUp(EngineCase what) throws InterruptedException;

  /** Measures once; empty when this contender cannot. */
  OptionalDouble tokensPerSecond(EngineCase what) throws InterruptedException;

  @Override
  void close();
}
