package dev.stator.device.cuda;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/**
 * Runs this package's tests, and those of a worker's that take a GPU, where there is no Maven: all
 * of them, or those of the classes that are named, in full where a package is. Exits with 1 when
 * one fails.
 */
final class DeviceChecks {
  private static final int FAILURES_PRINTED_MAX = 20;
  private static final String WORKERS = "dev.stator.worker"; // What pack.sh takes of them.

  private DeviceChecks() {}

  public static void main(String[] names) {
    final String here = DeviceChecks.class.getPackageName();
    final List<? extends DiscoverySelector> selected =
        names.length == 0
            ? List.of(selectPackage(here), selectPackage(WORKERS))
            : Arrays.stream(names)
                .map(name -> selectClass(name.contains(".") ? name : here + "." + name))
                .toList();
    final Launcher launcher = LauncherFactory.create();
    final var summary = new SummaryGeneratingListener();
    launcher.execute(
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selected)
            .filters(ClassNameFilter.includeClassNamePatterns(".*Test"))
            .build(),
        summary);
    final PrintWriter out = new PrintWriter(System.out, true);
    summary.getSummary().printFailuresTo(out, FAILURES_PRINTED_MAX);
    summary.getSummary().printTo(out);
    System.exit(summary.getSummary().getTotalFailureCount() == 0 ? 0 : 1);
  }
}
