package dev.stator.cluster;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;

/**
 * What Kryo reads without asking how much there is: here a length is compared with the bytes that
 * follow before anything is allocated. Read collections are immutable.
 */
final class WireSerializers {
  private WireSerializers() {}

  /** A length that the rest of the input can hold. */
  private static int readLength(Input input, int bytesEach) {
    final int length = input.readVarInt(true);
    final int left = input.limit() - input.position();
    if (length < 0 || (long) length * bytesEach > left) {
      throw new KryoException("%d times %d bytes in %d".formatted(length, bytesEach, left));
    }
    return length;
  }

  /** UTF-8 behind its length. */
  static final class Text extends Serializer<String> {
    Text() {
      super(false, true);
    }

    @Override
    public void write(Kryo kryo, Output output, String text) {
      final byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      output.writeVarInt(bytes.length, true);
      output.writeBytes(bytes);
    }

    @Override
    public String read(Kryo kryo, Input input, Class<? extends String> type) {
      return new String(input.readBytes(readLength(input, 1)), StandardCharsets.UTF_8);
    }
  }

  /** Small ones, as tokens are, take fewer bytes. */
  static final class Ints extends Serializer<int[]> {
    @Override
    public void write(Kryo kryo, Output output, int[] values) {
      output.writeVarInt(values.length, true);
      for (int value : values) output.writeVarInt(value, true);
    }

    @Override
    public int[] read(Kryo kryo, Input input, Class<? extends int[]> type) {
      final int[] values = new int[readLength(input, 1)];
      for (int i = 0; i < values.length; i++) values[i] = input.readVarInt(true);
      return values;
    }
  }

  /** Four bytes each. */
  static final class Floats extends Serializer<float[]> {
    @Override
    public void write(Kryo kryo, Output output, float[] values) {
      output.writeVarInt(values.length, true);
      for (float value : values) output.writeFloat(value);
    }

    @Override
    public float[] read(Kryo kryo, Input input, Class<? extends float[]> type) {
      final float[] values = new float[readLength(input, Float.BYTES)];
      for (int i = 0; i < values.length; i++) values[i] = input.readFloat();
      return values;
    }
  }

  /** As they are. */
  static final class Bytes extends Serializer<byte[]> {
    @Override
    public void write(Kryo kryo, Output output, byte[] values) {
      output.writeVarInt(values.length, true);
      output.writeBytes(values);
    }

    @Override
    public byte[] read(Kryo kryo, Input input, Class<? extends byte[]> type) {
      return input.readBytes(readLength(input, 1));
    }
  }

  /** In order. */
  static final class Lists extends Serializer<List<?>> {
    Lists() {
      super(false, true);
    }

    @Override
    public void write(Kryo kryo, Output output, List<?> list) {
      output.writeVarInt(list.size(), true);
      for (Object element : list) kryo.writeClassAndObject(output, element);
    }

    @Override
    public List<?> read(Kryo kryo, Input input, Class<? extends List<?>> type) {
      return List.copyOf(readAll(kryo, input));
    }
  }

  /** In any order. */
  static final class Sets extends Serializer<Set<?>> {
    Sets() {
      super(false, true);
    }

    @Override
    public void write(Kryo kryo, Output output, Set<?> set) {
      output.writeVarInt(set.size(), true);
      for (Object element : set) kryo.writeClassAndObject(output, element);
    }

    @Override
    public Set<?> read(Kryo kryo, Input input, Class<? extends Set<?>> type) {
      return Set.copyOf(readAll(kryo, input));
    }
  }

  private static List<Object> readAll(Kryo kryo, Input input) {
    final int count = readLength(input, 1);
    final List<Object> elements = new ArrayList<>(count);
    for (int i = 0; i < count; i++) elements.add(kryo.readClassAndObject(input));
    return elements;
  }

  /** In any order. */
  static final class Maps extends Serializer<Map<?, ?>> {
    Maps() {
      super(false, true);
    }

    @Override
    public void write(Kryo kryo, Output output, Map<?, ?> map) {
      output.writeVarInt(map.size(), true);
      map.forEach((key, value) -> {
        kryo.writeClassAndObject(output, key);
        kryo.writeClassAndObject(output, value);
      });
    }

    @Override
    public Map<?, ?> read(Kryo kryo, Input input, Class<? extends Map<?, ?>> type) {
      final int count = readLength(input, 2);
      final Map<Object, Object> map = new HashMap<>();
      for (int i = 0; i < count; i++) {
        map.put(kryo.readClassAndObject(input), kryo.readClassAndObject(input));
      }
      return Map.copyOf(map);
    }
  }

  /** By its path, with the address of its node. */
  static final class ActorRefs extends Serializer<ActorRef<?>> {
    private final ActorRefResolver resolver;

    ActorRefs(ActorRefResolver resolver) {
      super(false, true);
      this.resolver = resolver;
    }

    @Override
    public void write(Kryo kryo, Output output, ActorRef<?> ref) {
      kryo.writeObject(output, resolver.toSerializationFormat(ref));
    }

    @Override
    public ActorRef<?> read(Kryo kryo, Input input, Class<? extends ActorRef<?>> type) {
      return resolver.resolveActorRef(kryo.readObject(input, String.class));
    }
  }

  /** As {@code pekko://system@host:port}. */
  static final class Addresses extends Serializer<Address> {
    Addresses() {
      super(false, true);
    }

    @Override
    public void write(Kryo kryo, Output output, Address address) {
      kryo.writeObject(output, address.toString());
    }

    @Override
    public Address read(Kryo kryo, Input input, Class<? extends Address> type) {
      return AddressFromURIString.parse(kryo.readObject(input, String.class));
    }
  }
}
