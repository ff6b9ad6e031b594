package dev.stator.cluster;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;
import org.apache.pekko.actor.typed.ActorRef;

/** Makes records of any type, and says what is in them. */
final class SampleRecords {
  private static final Address ADDRESS = AddressFromURIString.parse("pekko://stator@10.0.0.1:7001");

  private final Random random;
  private final ActorRef<?> actor;

  SampleRecords(Random random, ActorRef<?> actor) {
    this.random = random;
    this.actor = actor;
  }

  /** A record whose constructor takes it; others are tried. */
  Object sample(Type type) {
    for (int i = 0; i < 1000; i++) {
      try {
        return make(type);
      } catch (IllegalArgumentException refusedByItsConstructor) {
        // Another one.
      }
    }
    throw new AssertionError("no sample of " + type);
  }

  /** The record with another component. */
  <T> T with(T sample, String component, Object value) {
    try {
      final RecordComponent[] components = sample.getClass().getRecordComponents();
      final Object[] values = new Object[components.length];
      for (int i = 0; i < components.length; i++) {
        components[i].getAccessor().setAccessible(true);
        values[i] =
            components[i].getName().equals(component)
                ? value
                : components[i].getAccessor().invoke(sample);
      }
      @SuppressWarnings("unchecked") // Its own class.
      final T changed = (T) constructor(sample.getClass()).newInstance(values);
      return changed;
    } catch (ReflectiveOperationException broken) {
      throw new AssertionError(broken);
    }
  }

  private Object make(Type type) {
    return switch (type) {
      case ParameterizedType generic -> generic(generic);
      case WildcardType wildcard -> make(wildcard.getUpperBounds()[0]);
      case Class<?> plain -> plain(plain);
      default -> throw new AssertionError("no sample of " + type);
    };
  }

  private Object generic(ParameterizedType type) {
    if (type.getRawType() == ActorRef.class) return actor;
    final Type[] arguments = type.getActualTypeArguments();
    final int size = random.nextInt(4);
    final List<Object> first = new ArrayList<>();
    for (int i = 0; i < size; i++) first.add(make(arguments[0]));
    if (type.getRawType() == List.class) return first;
    if (type.getRawType() == Set.class) return new HashSet<>(first);
    if (type.getRawType() != Map.class) throw new AssertionError("no sample of " + type);
    final Map<Object, Object> map = new HashMap<>();
    for (Object key : first) map.put(key, make(arguments[1]));
    return map;
  }

  private Object plain(Class<?> type) {
    if (type == int.class || type == Integer.class) return random.nextInt(100);
    if (type == long.class || type == Long.class) return random.nextLong(1L << random.nextInt(63));
    if (type == float.class || type == Float.class) return random.nextFloat();
    if (type == double.class || type == Double.class) return random.nextDouble();
    if (type == boolean.class) return random.nextBoolean();
    if (type == String.class) return "text-ä-\uD83D\uDE00-" + random.nextInt();
    if (type == Duration.class) return Duration.ofNanos(1 + random.nextLong(1L << 50));
    if (type == Instant.class) return Instant.ofEpochMilli(random.nextLong(1L << 40));
    if (type == Address.class) return ADDRESS;
    if (type == int[].class) return random.ints(1 + random.nextInt(9), 0, 1 << 20).toArray();
    if (type == long[].class) return random.longs(1 + random.nextInt(9), 0, 1 << 20).toArray();
    if (type == float[].class) {
      final float[] floats = new float[random.nextInt(9)];
      for (int i = 0; i < floats.length; i++) floats[i] = random.nextFloat();
      return floats;
    }
    if (type == byte[].class) {
      final byte[] bytes = new byte[random.nextInt(9)];
      random.nextBytes(bytes);
      return bytes;
    }
    if (type.isEnum()) return pick(type.getEnumConstants());
    if (type.isSealed()) return make(pick(type.getPermittedSubclasses()));
    if (type.isRecord()) return record(type);
    throw new AssertionError("no sample of " + type);
  }

  private <T> T pick(T[] all) {
    return all[random.nextInt(all.length)];
  }

  private Object record(Class<?> type) {
    final Object[] values =
        Arrays.stream(type.getRecordComponents())
            .map(component -> make(component.getGenericType()))
            .toArray();
    try {
      return constructor(type).newInstance(values);
    } catch (InvocationTargetException refused) {
      throw new IllegalArgumentException(refused.getCause());
    } catch (ReflectiveOperationException broken) {
      throw new AssertionError(broken);
    }
  }

  private static Constructor<?> constructor(Class<?> type) throws ReflectiveOperationException {
    final Constructor<?> constructor =
        type.getDeclaredConstructor(
            Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getType)
                .toArray(Class<?>[]::new));
    constructor.setAccessible(true);
    return constructor;
  }

  /** All records and enums that a type is made of. */
  static void collect(Type type, Set<Class<?>> found) {
    switch (type) {
      case ParameterizedType generic -> {
        if (generic.getRawType() == ActorRef.class) return;
        for (Type argument : generic.getActualTypeArguments()) collect(argument, found);
      }
      case WildcardType wildcard -> collect(wildcard.getUpperBounds()[0], found);
      case Class<?> plain -> {
        if (plain.isSealed()) {
          for (Class<?> permitted : plain.getPermittedSubclasses()) collect(permitted, found);
        }
        if (!plain.isRecord() && !plain.isEnum()) return;
        if (!found.add(plain) || plain.isEnum()) return;
        for (RecordComponent component : plain.getRecordComponents()) {
          collect(component.getGenericType(), found);
        }
      }
      default -> throw new AssertionError("what is " + type);
    }
  }

  /** All of a value, component by component, in one order. */
  static String text(Object value) {
    return switch (value) {
      case null -> "null";
      case List<?> list -> list.stream().map(SampleRecords::text).toList().toString();
      case Set<?> set -> {
        final Set<String> sorted = new TreeSet<>();
        set.forEach(element -> sorted.add(text(element)));
        yield sorted.toString();
      }
      case Map<?, ?> map -> {
        final Map<String, String> sorted = new TreeMap<>();
        map.forEach((key, element) -> sorted.put(text(key), text(element)));
        yield sorted.toString();
      }
      case Record recorded -> recordText(recorded);
      default -> value.getClass().isArray() ? arrayText(value) : value.toString();
    };
  }

  private static String recordText(Record value) {
    final StringBuilder text = new StringBuilder(value.getClass().getName());
    try {
      for (RecordComponent component : value.getClass().getRecordComponents()) {
        component.getAccessor().setAccessible(true);
        text.append(' ').append(text(component.getAccessor().invoke(value)));
      }
    } catch (ReflectiveOperationException broken) {
      throw new AssertionError(broken);
    }
    return "{" + text + "}";
  }

  private static String arrayText(Object array) {
    final List<Object> elements = new ArrayList<>();
    for (int i = 0; i < Array.getLength(array); i++) elements.add(Array.get(array, i));
    return elements.toString();
  }
}
