package dev.stator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.ModelFormatException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StatorCliTest {
  private static final String BUNDLED = "models/stator-tiny-q8_0.gguf";

  @TempDir private Path home;
  private final FakeStarter starter = new FakeStarter();

  @BeforeEach
  void makeHome() throws IOException {
    Files.createDirectories(home.resolve("models"));
    Files.createDirectories(home.resolve("config"));
    Files.createFile(home.resolve(BUNDLED));
    starter.stopsByItself = true;
  }

  @AfterEach
  void close() {
    starter.close();
  }

  @Test
  void shouldServeTheBundledModelOnTheLocalAddressWhenNothingIsSaid() {
    final CliRun run = run("serve");
    assertEquals(0, run.exitCode(), run.err());
    final NodeSettings settings = starter.started.getFirst();
    assertEquals(home.resolve(BUNDLED), settings.model().orElseThrow());
    assertEquals("127.0.0.1", settings.host());
    assertEquals(8080, settings.port());
    assertEquals(NodeSettings.Engine.MODEL, settings.engine());
    assertEquals(0, settings.prefillSlots());
    assertEquals(1, settings.decodeSlots());
    assertTrue(run.out().contains("\nReady in "), run.out());
    assertEquals(0, starter.stopped.getCount(), "the node was not stopped");
  }

  @Test
  void shouldHandEveryOptionToTheNode() {
    run(
        "serve",
        "stator-tiny-q8_0",
        "--host",
        "0.0.0.0",
        "--port",
        "0",
        "--name",
        "tiny",
        "--threads",
        "3",
        "--context-length",
        "512",
        "--kv-memory",
        "64MiB",
        "--prefill-slots",
        "1",
        "--decode-slots",
        "2",
        "-Dstator.engine.running-max=7",
        "-D",
        "a.list=[1,2]");
    final NodeSettings settings = starter.started.getFirst();
    assertEquals(home.resolve(BUNDLED), settings.model().orElseThrow());
    assertEquals("0.0.0.0", settings.host());
    assertEquals(0, settings.port());
    assertEquals("tiny", settings.servedName().orElseThrow());
    assertEquals(OptionalInt.of(3), settings.threads());
    assertEquals(OptionalInt.of(512), settings.contextLength());
    assertEquals(OptionalLong.of(64 << 20), settings.kvBytes());
    assertEquals(1, settings.prefillSlots());
    assertEquals(2, settings.decodeSlots());
    assertEquals(7, settings.overrides().getInt("stator.engine.running-max"));
    assertEquals(List.of(1, 2), settings.overrides().getIntList("a.list"));
  }

  @Test
  void shouldPutOptionsOverDefinitionsOverTheFile() throws IOException {
    Files.writeString(
        home.resolve("config/single.conf"),
        "stator.http { host = \"10.0.0.1\", port = 1111 }\nstator.engine.running-max = 1");
    run("serve", "--port", "2222", "-Dstator.engine.running-max=2");
    final NodeSettings settings = starter.started.getFirst();
    assertEquals("10.0.0.1", settings.host());
    assertEquals(2222, settings.port());
    assertEquals(2, settings.overrides().getInt("stator.engine.running-max"));
  }

  @Test
  void shouldMakeSubstitutionsOfTheFile() throws IOException {
    Files.writeString(
        home.resolve("config/single.conf"),
        """
        base-port = 1234
        stator.http { host = ${?STATOR_TEST_UNSET}, port = ${base-port} }
        stator.log.level = ${?STATOR_TEST_UNSET}
        stator.log.format = ${?STATOR_TEST_UNSET}
        """);
    final CliRun run = run("serve");
    assertEquals(0, run.exitCode(), run.err());
    assertEquals("127.0.0.1", starter.started.getFirst().host());
    assertEquals(1234, starter.started.getFirst().port());
  }

  @Test
  void shouldSayInOneSentenceWhichSubstitutionHasNoValue() throws IOException {
    Files.writeString(home.resolve("config/single.conf"), "stator.http.port = ${nothing-here}");
    final CliRun run = run("serve");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().startsWith("error: the configuration is wrong: "), run.err());
    assertTrue(run.err().contains("nothing-here"), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @Test
  void shouldSayThatItDrainsBeforeItStops() {
    final StringWriter err = new StringWriter();
    final List<String> saidBeforeClose = new ArrayList<>();
    final RunningNode node =
        new RunningNode() {
          @Override
          public NodeSummary summary() {
            throw new AssertionError("not needed to stop");
          }

          @Override
          public Duration drainTimeout() {
            return Duration.ofSeconds(30);
          }

          @Override
          public void awaitTermination() {}

          @Override
          public void close() {
            saidBeforeClose.add(err.toString());
          }
        };
    Serving.drain(node, new PrintWriter(err));
    assertEquals(List.of("Draining, up to 30 s.\n"), saidBeforeClose);
  }

  @Test
  void shouldReadAnotherFileInsteadOfTheDefaultOne() throws IOException {
    Files.writeString(home.resolve("config/single.conf"), "a = 1");
    final Path other = Files.writeString(home.resolve("other.conf"), "b = 2");
    run("serve", "--config", other.toString());
    assertFalse(starter.started.getFirst().overrides().hasPath("a"));
    assertEquals(2, starter.started.getFirst().overrides().getInt("b"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "serve",
        "chat",
        "run",
        "inspect",
        "bench",
        "bench kernels",
        "bench engine",
        "version",
        "seed",
        "join",
        "status",
        "drain",
        "cluster",
        "cluster up",
        "cluster status",
        "cluster logs",
        "cluster kill",
        "cluster resume",
        "cluster stop",
        "cluster start",
        "cluster restart",
        "cluster down"
      })
  void shouldHelpWithAnExample(String command) {
    final CliRun run = run((command + " --help").strip().split(" "));
    assertEquals(0, run.exitCode());
    assertTrue(run.out().contains("Example"), run.out());
    assertTrue(run.out().contains("stator " + command), run.out());
    run.out().lines().forEach(line -> assertTrue(line.length() <= 100, line));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "|A command is missing",
        "srve|Unmatched argument",
        "serve --prt 1|Unknown option: '--prt'",
        "serve --port x|Invalid value for option '--port'",
        "serve --port 70000|--port must be between 0 and 65535: 70000",
        "serve --threads 0|--threads must be between 1 and 1024: 0",
        "serve --decode-slots 0|--decode-slots must be between 1 and 64: 0",
        "serve --kv-memory lots|--kv-memory wants bytes",
        "serve --kv-memory 1G --kv-blocks 5|give one of them",
        "serve --config nowhere.conf|no configuration file at",
        "serve -D a=[1|cannot be read",
        "run out=cpu|an input is missing",
        "run in=mail|in= wants http, text, batch:FILE or pool://CLUSTER: 'mail'",
        "run in=text out=gpu|out= wants cpu, cuda, echo or pool://CLUSTER: 'gpu'",
        "run in=text out=pool://a|out=pool://a goes with in=http alone: 'text'",
        "run in=http out=pool://a MODEL|leave MODEL out",
        "run in=pool://a out=pool://a|cannot both be a pool",
        "run in=pool:// out=cpu|in= wants",
        "run in=http --role decode|--role goes with pool://CLUSTER alone",
        "seed --role chef|--role wants prefill, decode, frontend, router or all: 'chef'",
        "seed --role frontend MODEL|has no engines: leave MODEL out",
        "seed --cluster-port 70000|--cluster-port must be between 0 and 65535: 70000",
        "seed --cluster-host 0.0.0.0|an address that other members can reach, not 0.0.0.0",
        "seed --slots 0|--slots must be between 1 and 64: 0",
        "join|Missing required parameter: 'HOST:PORT[,..]'",
        "join nowhere|a member is HOST:PORT, such as 10.0.0.1:17355: 'nowhere'",
        "join a:99999|a member is HOST:PORT",
        "cluster|A command is missing",
        "cluster kill|Missing required parameter: 'NODE'",
        "cluster logs a -n -1|--lines must not be negative: -1",
        "cluster status --name ../x|a cluster's name is 1 to 63 letters",
        "status --url :|--url wants an address",
        "status --watch soon|--watch wants a duration",
        "drain|Missing required parameter: 'NODE'",
        "run in=text a b|given twice: a and b",
        "bench --url host:1 MODEL|give MODEL or --url",
        "bench --url :|--url wants an address",
        "bench --rate -1|--rate must be above 0",
        "bench --duration soon|--duration wants a duration",
        "bench --goodput fast|--goodput wants targets",
        "bench --html nowhere/report.html|no file can be written",
        "inspect|Missing required parameter: 'MODEL'"
      })
  void shouldExplainWrongUsageInOneSentence(String line, String sentence) {
    final CliRun run = run(line == null ? new String[0] : line.split(" "));
    assertEquals(2, run.exitCode(), run.err());
    assertTrue(run.err().contains(sentence), run.err());
    assertTrue(run.err().startsWith("error: "), run.err());
    assertEquals(2, run.err().lines().count(), run.err());
    assertTrue(starter.started.isEmpty());
  }

  @Test
  void shouldMakeTheFirstNodeOfAClusterDoEverything() {
    assertEquals(0, run("seed").exitCode());
    final ClusterMembership member = starter.started.getFirst().cluster().orElseThrow();
    assertEquals(ClusterMembership.parseRoles("prefill,decode,frontend"), member.roles());
    assertTrue(member.founds());
    assertEquals(List.of(), member.contacts());
    assertEquals("127.0.0.1", member.host());
    assertEquals(17_355, member.port());
    assertTrue(member.nodeName().matches("node-[0-9a-f]{4}"), member.nodeName());
    assertEquals(8080, starter.started.getFirst().port());
  }

  @ParameterizedTest
  @ValueSource(strings = {"seed --role decode", "join 127.0.0.1:1 --role prefill"})
  void shouldLeaveAMembersDeviceToTheConfiguration(String words) {
    assertEquals(0, run(words.split(" ")).exitCode());
    assertEquals(NodeSettings.Engine.MODEL, starter.started.getFirst().engine());
  }

  @Test
  void shouldJoinThroughMembersWithAnyFreePorts() {
    final CliRun run =
        run("join", "127.0.0.1:1,127.0.0.1:2", "--role", "decode", "--name", "d-1", "--slots", "2");
    assertEquals(0, run.exitCode(), run.err());
    final NodeSettings settings = starter.started.getFirst();
    final ClusterMembership member = settings.cluster().orElseThrow();
    assertEquals("d-1", member.nodeName());
    assertEquals(List.of("127.0.0.1:1", "127.0.0.1:2"), member.contacts());
    assertFalse(member.founds());
    assertEquals("127.0.0.1", member.host());
    assertEquals(0, member.port());
    assertEquals(2, member.slots());
    assertEquals(0, settings.port());
    assertEquals(home.resolve(BUNDLED), settings.model().orElseThrow());
  }

  @Test
  void shouldNeedNoModelForANodeWithoutEngines() {
    run("run", "in=http", "out=pool://127.0.0.1:1");
    final NodeSettings settings = starter.started.getFirst();
    assertTrue(settings.model().isEmpty());
    assertTrue(settings.cluster().orElseThrow().isFrontend());
    assertEquals(8080, settings.port());
  }

  @Test
  void shouldWorkForAPool() {
    run("run", "in=pool://127.0.0.1:1", "out=echo", "--role", "prefill");
    final NodeSettings settings = starter.started.getFirst();
    assertEquals(NodeSettings.Engine.ECHO, settings.engine());
    assertEquals(ClusterMembership.parseRoles("prefill"), settings.cluster().orElseThrow().roles());
  }

  @Test
  void shouldFailWhenTheNodeHasEndedUnasked() {
    starter.endsWith = "the cluster has removed this node";
    final CliRun run = run("join", "127.0.0.1:1");
    assertEquals(1, run.exitCode());
    assertEquals("error: the cluster has removed this node\n", run.err());
  }

  @Test
  void shouldSayWhereANodeServesForWhoStartedIt() throws IOException {
    final Path file = home.resolve("state.json");
    assertEquals(0, run("seed", "--state-file", file.toString()).exitCode());
    final StateFile state = StateFile.read(file).orElseThrow();
    assertEquals(ProcessHandle.current().pid(), state.pid());
    assertEquals(starter.server.address(), state.http());
    assertEquals("127.0.0.1:17355", state.cluster());
  }

  @Test
  void shouldSayThatNoClusterIsThere() {
    final CliRun run = run("cluster", "kill", "decode-1", "--name", "none");
    assertEquals(1, run.exitCode());
    assertTrue(
        run.err().startsWith("error: there is no cluster 'none' on this machine;"), run.err());
  }

  @Test
  void shouldSayWhatWasTriedWhenTheModelIsNotThere() {
    final CliRun run = run("serve", "nowhere");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains(home.resolve("models/nowhere.gguf").toString()), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @Test
  void shouldPassTheNodesSentenceOn() {
    starter.failure = new NodeStartException("cannot listen on 127.0.0.1:8080");
    final CliRun run = run("serve");
    assertEquals(1, run.exitCode());
    assertEquals("error: cannot listen on 127.0.0.1:8080\n", run.err());
  }

  @Test
  void shouldBlameTheModelWhenItCannotBeUsed() {
    starter.failure = new ModelFormatException("layer count must be positive: 0");
    assertEquals(
        "error: the model cannot be used: layer count must be positive: 0\n", run("serve").err());
  }

  @Test
  void shouldOfferTheStackTraceOfABug() {
    starter.failure = new IllegalStateException("impossible");
    final CliRun run = run("serve");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("IllegalStateException: impossible (--verbose"), run.err());
    assertEquals(1, run.err().lines().count());
  }

  @Test
  void shouldStartTheEchoEngineWhenAsked() {
    assertEquals(0, run("run", "in=http", "out=echo", "--port", "5").exitCode());
    assertEquals(NodeSettings.Engine.ECHO, starter.started.getFirst().engine());
    assertEquals(5, starter.started.getFirst().port());
  }

  @Test
  void shouldShowTheVersionInEachForm() {
    final String version = run("version").out();
    assertTrue(version.startsWith("stator " + Version.number()), version);
    assertFalse(version.contains("${"), version);
    assertEquals(version, run("--version").out());
  }

  private CliRun run(String... arguments) {
    return CliRun.of(starter, home, "", arguments);
  }
}
