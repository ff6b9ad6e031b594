package dev.stator.cluster;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Registration;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.util.DefaultClassResolver;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;

/**
 * Messages as bytes and back, by Kryo with a closed table of classes. Bytes of an unknown class, of
 * another shape than their class, or that promise more than follows, are refused; whatever comes,
 * no more is allocated than a small multiple of its length. One thread at a time.
 *
 * <pre>
 *   message := class id (varint), components of the record by name
 *   component := value, or class id and value where the declared type is not final
 * </pre>
 */
final class WireCodec {
  /** Deeper nesting than any message of ours has. */
  private static final int DEPTH_MAX = 16;

  private static final int BUFFER_LENGTH = 1024;

  private final Kryo kryo;
  private final Output output;

  /**
   * @param bytesMax the longest message written
   */
  WireCodec(ActorRefResolver actorRefs, int bytesMax) {
    this.kryo = new ClosedKryo(actorRefs);
    this.output = new Output(BUFFER_LENGTH, bytesMax);
  }

  /**
   * @throws KryoException when the message holds what the table does not, or is too long
   */
  byte[] write(Object message) {
    try {
      kryo.writeClassAndObject(output, message);
      return output.toBytes();
    } finally {
      output.reset();
    }
  }

  /**
   * @throws RuntimeException when the bytes are not a message's
   */
  Object read(byte[] bytes) {
    final Input input = new Input(bytes);
    final Object message = kryo.readClassAndObject(input);
    if (input.position() < bytes.length) {
      throw new KryoException(bytes.length - input.position() + " bytes behind the message");
    }
    return message;
  }

  private static final class ClosedKryo extends Kryo {
    ClosedKryo(ActorRefResolver actorRefs) {
      super(new ClosedResolver(), null);
      setRegistrationRequired(true);
      setReferences(false);
      setMaxDepth(DEPTH_MAX);
      register(String.class, new WireSerializers.Text(), 1); // 0 to 9 are Kryo's own.
      register(int[].class, new WireSerializers.Ints(), 16);
      register(byte[].class, new WireSerializers.Bytes(), 17);
      register(List.class, new WireSerializers.Lists(), 18);
      register(Set.class, new WireSerializers.Sets(), 19);
      register(Map.class, new WireSerializers.Maps(), 20);
      register(Duration.class, 21);
      register(Instant.class, 22);
      register(ActorRef.class, new WireSerializers.ActorRefs(actorRefs), 23);
      register(Address.class, new WireSerializers.Addresses(), 24);
      register(float[].class, new WireSerializers.Floats(), 25);
      for (MessageTable.Entry entry : MessageTable.ENTRIES) register(entry.type(), entry.id());
    }

    /** Collections and actor references have classes that are nobody's business. */
    @Override
    @SuppressWarnings("rawtypes") // As Kryo declares it.
    public Registration getRegistration(Class type) {
      return super.getRegistration(asDeclared(type));
    }

    private static Class<?> asDeclared(Class<?> type) {
      if (List.class.isAssignableFrom(type)) return List.class;
      if (Set.class.isAssignableFrom(type)) return Set.class;
      if (Map.class.isAssignableFrom(type)) return Map.class;
      if (ActorRef.class.isAssignableFrom(type)) return ActorRef.class;
      return type;
    }
  }

  /** Loads no class by a name that comes over the wire. */
  private static final class ClosedResolver extends DefaultClassResolver {
    @Override
    protected Registration readName(Input input) {
      throw new KryoException("a class by its name");
    }
  }
}
