package dev.stator.model.text.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** The functions that every template can call. */
final class Globals {
  /** No directive of {@code strftime} becomes longer. */
  private static final int DATE_GROWTH = 32;

  private Globals() {}

  /** The functions of one render. */
  static Map<String, Object> of(Budget budget, Clock clock) {
    return Map.of(
        "range", (Function) Globals::range,
        "dict", (Function) arguments -> dict(budget, arguments),
        "namespace", (Function) arguments -> namespace(budget, arguments),
        "cycler", (Function) arguments -> new Cycler(arguments.positional()),
        "joiner", (Function) Joiner::new,
        "raise_exception", (Function) arguments -> raise(budget, arguments),
        "strftime_now", (Function) arguments -> now(budget, clock, arguments));
  }

  private static Object range(Arguments arguments) {
    final Object[] a = Signature.positional("range", "start", "stop?", "step?").bind(arguments);
    final long first = Numbers.index(a[0]);
    final long step = a[2] == null ? 1 : Numbers.index(a[2]);
    return a[1] == null
        ? RangeValue.of(0, first, step)
        : RangeValue.of(first, Numbers.index(a[1]), step);
  }

  private static DictValue dict(Budget budget, Arguments arguments) {
    final DictValue.Builder dict = new DictValue.Builder(budget);
    if (arguments.positional().size() > 1) {
      throw new TemplateFault("dict() takes at most one value by position");
    }
    for (final Object source : arguments.positional()) {
      if (source instanceof DictValue other) {
        dict.putAll(other);
      } else {
        for (final Iterator<Object> pairs = Iteration.of(budget, source); pairs.hasNext(); ) {
          final List<Object> pair = Iteration.toList(budget, pairs.next());
          if (pair.size() != 2) {
            throw new TemplateFault("dict() needs pairs of key and value");
          }
          dict.put(pair.get(0), pair.get(1));
        }
      }
    }
    arguments.named().forEach(dict::put);
    return dict.build();
  }

  private static Object namespace(Budget budget, Arguments arguments) {
    final Namespace namespace = new Namespace();
    for (final DictValue.Entry entry : dict(budget, arguments).entries()) {
      if (entry.key() instanceof String name) {
        namespace.set(name, entry.value());
      }
    }
    return namespace;
  }

  private static Object raise(Budget budget, Arguments arguments) {
    final Object[] a = Signature.of("raise_exception", "message").bind(arguments);
    throw new TemplateFault(Repr.str(budget, a[0]));
  }

  private static Object now(Budget budget, Clock clock, Arguments arguments) {
    final String format =
        StringMethods.string(Signature.of("strftime_now", "format").bind(arguments)[0]);
    budget.text((long) format.length() * DATE_GROWTH);
    return Strftime.format(ZonedDateTime.now(clock), format);
  }

  /** Gives its values in turn. */
  private static final class Cycler implements AttributeHolder {
    private final List<Object> values;
    private int position;

    Cycler(List<Object> values) {
      if (values.isEmpty()) {
        throw new TemplateFault("cycler() needs at least one value");
      }
      this.values = values;
    }

    @Override
    public Object attribute(String name) {
      return switch (name) {
        case "current" -> values.get(position);
        case "next" -> (Function) arguments -> next();
        case "reset" -> (Function) arguments -> reset();
        default -> null;
      };
    }

    private Object next() {
      final Object value = values.get(position);
      position = (position + 1) % values.size();
      return value;
    }

    private Object reset() {
      position = 0;
      return NoneValue.NONE;
    }

    @Override
    public String typeName() {
      return "Cycler";
    }
  }

  /** Gives nothing the first time it is called, its separator from then on. */
  private static final class Joiner implements Function {
    private final Object separator;
    private boolean used;

    Joiner(Arguments arguments) {
      final Object given = Signature.of("joiner", "sep?").bind(arguments)[0];
      this.separator = given == null ? ", " : given;
    }

    @Override
    public Object call(Arguments arguments) {
      final Object value = used ? separator : "";
      used = true;
      return value;
    }
  }
}
