package dev.stator.transport;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/** Tells whether two processes run under one kernel. */
public final class HostId {
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final String CURRENT = read();

  private HostId() {}

  /** The kernel's boot id; where there is none, the host's name. */
  public static String current() {
    return CURRENT;
  }

  private static String read() {
    try {
      return Files.readString(BOOT_ID).strip();
    } catch (IOException notLinux) {
      return hostName();
    }
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (IOException nameless) {
      return "localhost";
    }
  }
}
