package dev.stator.transport;

/** The same where there are no native kernels. */
class InProcessByJavaTest extends InProcessBackendTest {
  @Override
  TransferSettings agentSettings() {
    return BY_JAVA;
  }
}
