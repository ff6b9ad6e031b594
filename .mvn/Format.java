import com.google.googlejavaformat.java.Formatter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Checks ("check") or writes ("write") the format of every Java source below a folder. */
class Format {
  public static void main(String[] args) throws Exception {
    boolean write = args[0].equals("write");
    Path root = Path.of(args[1]).toRealPath();
    List<Path> wrong = new ArrayList<>();
    for (Path source : sources(root)) {
      String text = Files.readString(source);
      String formatted = format(text);
      if (formatted.equals(text)) continue;
      wrong.add(root.relativize(source));
      if (write) Files.writeString(source, formatted);
    }
    if (wrong.isEmpty()) return;
    System.out.println((write ? "Formatted: " : "Not formatted: ") + wrong);
    if (!write) {
      System.out.println("Run: mvn -N process-resources -Dformat=write");
      System.exit(1);
    }
  }

  /** Formats until nothing changes: a comment that is moved may have to be wrapped once more. */
  private static String format(String text) throws Exception {
    String formatted = new Formatter().formatSourceAndFixImports(text);
    return formatted.equals(text) ? text : format(formatted);
  }

  private static List<Path> sources(Path root) throws Exception {
    try (var paths = Files.walk(root)) {
      return paths
          .filter(path -> path.toString().endsWith(".java"))
          .filter(
              path -> !root.relativize(path).toString().matches("(.*/)?(target|node_modules)/.*"))
          .sorted()
          .toList();
    }
  }
}
