package dev.stator.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.RequestId;
import dev.stator.engine.SamplingParams;
import dev.stator.protocol.ClusterMessage;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.PlacementAnswer;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.WorkerCommand;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Everything that crosses nodes does so as it is; everything else is refused. */
class StatorSerializerTest {
  private static final ActorTestKit TEST_KIT =
      ActorTestKit.create(
          ConfigFactory.parseString(
                  """
                  pekko.actor.provider = local
                  pekko.actor.allow-java-serialization = off
                  pekko.actor.serializers.stator = "dev.stator.cluster.StatorSerializer"
                  pekko.actor.serialization-bindings."dev.stator.protocol.ClusterMessage" = stator
                  """)
              .withFallback(ConfigFactory.load()));
  private static final Serialization SERIALIZATION =
      SerializationExtension.get(TEST_KIT.system().classicSystem());
  private static final int SERIALIZER_ID = 7401;
  private static final SampleRecords SAMPLES =
      new SampleRecords(new Random(1), TEST_KIT.createTestProbe().ref());

  @AfterAll
  static void shutDown() {
    TEST_KIT.shutdownTestKit();
  }

  @Test
  void shouldKeepEveryMessageAsItIs() throws Exception {
    final List<Class<?>> messages = messages();
    assertTrue(messages.contains(DecodeCommand.Generate.class), messages.toString());
    assertTrue(messages.contains(NodeMessage.NodeReport.class), messages.toString());
    for (Class<?> type : messages) {
      for (int i = 0; i < 20; i++) {
        final Object message = SAMPLES.sample(type);
        assertEquals(
            SampleRecords.text(message), SampleRecords.text(read(write(message))), type.getName());
      }
    }
  }

  @Test
  void shouldHaveANumberOfItsOwnForEveryClassInTheTable() throws Exception {
    final Set<Class<?>> needed = new HashSet<>();
    for (Class<?> type : messages()) SampleRecords.collect(type, needed);
    final Set<Integer> ids = new HashSet<>();
    final Set<Class<?>> types = new HashSet<>();
    for (MessageTable.Entry entry : MessageTable.ENTRIES) {
      assertTrue(entry.id() >= MessageTable.FIRST_ID && ids.add(entry.id()), entry.toString());
      assertTrue(types.add(entry.type()), entry.toString());
    }
    final Set<Class<?>> missing = new HashSet<>(needed);
    missing.removeAll(types);
    assertEquals(Set.of(), missing, "classes that cross nodes and are not in the table");
  }

  @Test
  void shouldRefuseWhatIsNotInTheTable() {
    record Stranger(String text) implements ClusterMessage {}
    final var refused =
        assertThrows(IllegalArgumentException.class, () -> write(new Stranger("hello")));
    assertTrue(refused.getMessage().contains("Stranger cannot be sent"), refused.getMessage());
  }

  @Test
  void shouldRefuseAClassByItsName() {
    final byte[] byName = {1, 0, (byte) ('a' | 0x80)};
    final var refused = assertThrows(RuntimeException.class, () -> read(byName));
    assertTrue(refused.getMessage().contains("a class by its name"), refused.getMessage());
  }

  @Test
  void shouldRefuseWhatIsNoMessage() {
    final byte[] text = write(new RouterCommand.Ended(new RequestId("x"), 1));
    final byte[] longer = Arrays.copyOf(text, text.length + 1);
    final var refused = assertThrows(RuntimeException.class, () -> read(longer));
    assertTrue(refused.getMessage().contains("1 bytes behind"), refused.getMessage());
    assertThrows(RuntimeException.class, () -> read(new byte[0]));
    assertThrows(RuntimeException.class, () -> read(new byte[] {0}));
    final byte[] aString = {3, 1, 'a'};
    final var noMessage = assertThrows(RuntimeException.class, () -> read(aString));
    assertTrue(noMessage.getMessage().contains("java.lang.String"), noMessage.getMessage());
  }

  /** Whatever comes: a message or a refusal, quickly, and without running out of memory. */
  @Test
  void shouldSurviveAnyBytes() throws Exception {
    final Random random = new Random(2);
    final List<Class<?>> messages = messages();
    int refusals = 0;
    for (int i = 0; i < 6_000; i++) {
      final byte[] bytes = write(SAMPLES.sample(messages.get(i % messages.size())));
      refusals += readAny(damaged(bytes, random));
      final byte[] noise = new byte[random.nextInt(40)];
      random.nextBytes(noise);
      refusals += readAny(noise);
    }
    assertTrue(refusals > 3_000, "refused " + refusals);
  }

  @Test
  void shouldTakeAPromptOfHalfAMillionTokensAndRefuseALongerOne() {
    assertInstanceOf(DecodeCommand.Generate.class, read(write(generate(500_000))));
    final var refused =
        assertThrows(IllegalArgumentException.class, () -> write(generate(1_100_000)));
    assertTrue(refused.getMessage().contains("Buffer overflow"), refused.getMessage());
  }

  private static DecodeCommand.Generate generate(int tokens) {
    final DecodeCommand.Generate sample =
        (DecodeCommand.Generate) SAMPLES.sample(DecodeCommand.Generate.class);
    final int[] prompt = new Random(3).ints(tokens, 0, 128_000).toArray();
    final var request =
        new GenerationRequest(new RequestId("long"), prompt, tokens, SamplingParams.greedy(1), "");
    return SAMPLES.with(sample, "request", request);
  }

  private static byte[] damaged(byte[] bytes, Random random) {
    final byte[] copy = Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
    for (int flips = random.nextInt(4); flips > 0; flips--) {
      copy[random.nextInt(copy.length)] = (byte) random.nextInt();
    }
    return copy;
  }

  /** 1 for a refusal. Errors of the machine are not caught. */
  private static int readAny(byte[] bytes) {
    try {
      assertInstanceOf(ClusterMessage.class, read(bytes));
      return 0;
    } catch (IllegalArgumentException refused) {
      assertTrue(refused.getMessage().contains("no message between nodes"), refused.toString());
      return 1;
    }
  }

  private static byte[] write(Object message) {
    assertEquals(SERIALIZER_ID, SERIALIZATION.findSerializerFor(message).identifier());
    return SERIALIZATION.findSerializerFor(message).toBinary(message);
  }

  private static Object read(byte[] bytes) {
    return SERIALIZATION.serializerByIdentity().apply(SERIALIZER_ID).fromBinary(bytes);
  }

  /** All classes of ours that say they cross nodes, wherever they are. */
  private static List<Class<?>> messages() throws IOException, ReflectiveOperationException {
    final Path classes =
        Path.of(ClusterMessage.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    final List<Class<?>> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
        final String name = classes.relativize(file).toString().replace('/', '.');
        if (name.endsWith("package-info.class")) continue;
        final Class<?> type =
            Class.forName(name.substring(0, name.length() - ".class".length()), false, loader());
        if (!ClusterMessage.class.isAssignableFrom(type) || type.isInterface()) continue;
        assertTrue(
            type.isRecord() && Modifier.isFinal(type.getModifiers()), type + " is no record");
        found.add(type);
      }
    }
    return found;
  }

  /** What an actor elsewhere takes, as its reference in a message says, can be sent to it. */
  @Test
  void shouldSendWhateverReferencesInMessagesStandFor() throws Exception {
    final Set<Class<?>> taken = new HashSet<>();
    for (MessageTable.Entry entry : MessageTable.ENTRIES) {
      if (!entry.type().isRecord()) continue;
      for (RecordComponent part : entry.type().getRecordComponents()) {
        if (part.getType() != ActorRef.class) continue;
        final Type told = ((ParameterizedType) part.getGenericType()).getActualTypeArguments()[0];
        if (told instanceof Class<?> message)
          taken.add(message); // Whom one only watches takes "?".
      }
    }
    assertTrue(taken.contains(PlacementAnswer.class), taken.toString());
    taken.removeIf(ClusterMessage.class::isAssignableFrom);
    assertEquals(Set.of(), taken);
  }

  private static ClassLoader loader() {
    return StatorSerializerTest.class.getClassLoader();
  }

  @Test
  void shouldFindTheMessagesOfTheProtocol() throws Exception {
    final List<Class<?>> messages = messages();
    assertTrue(
        messages.containsAll(
            List.of(
                PlacementAnswer.Placed.class,
                WorkerCommand.Evict.class,
                CardMessage.Part.class,
                PlannerHost.ForModel.class)),
        messages.toString());
  }
}
