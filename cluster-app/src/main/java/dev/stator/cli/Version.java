package dev.stator.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version that the build wrote into the jar. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    final Runtime.Version java = Runtime.version();
    return new String[] {
      "stator " + number(),
      "Java %s, %s %s".formatted(java, System.getProperty("os.name"), System.getProperty("os.arch"))
    };
  }

  static String number() {
    final Properties properties = new Properties();
    try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
      properties.load(in);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
    return properties.getProperty("version");
  }
}
