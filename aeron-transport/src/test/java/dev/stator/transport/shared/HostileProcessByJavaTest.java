package dev.stator.transport.shared;

/** The same where there are no native kernels. */
class HostileProcessByJavaTest extends HostileProcessTest {
  @Override
  String kernels() {
    return "java";
  }
}
