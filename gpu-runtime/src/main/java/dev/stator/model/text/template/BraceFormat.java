package dev.stator.model.text.template;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code "{} {name!r:>8}".format(...)}. */
final class BraceFormat {
  private static final int NESTING_MAX = 2;

  private final Budget budget;
  private final Arguments arguments;
  private int automatic;
  private boolean numbered;

  private BraceFormat(Budget budget, Arguments arguments) {
    this.budget = budget;
    this.arguments = arguments;
  }

  static Object format(Budget budget, String format, Arguments arguments) {
    return new BraceFormat(budget, arguments).expand(format, NESTING_MAX);
  }

  /** As {@link #format}, the values coming from a dict. */
  static Object formatMap(Budget budget, String format, Arguments arguments) {
    if (arguments.positional().size() != 1
        || !(arguments.positional().getFirst() instanceof DictValue dict)) {
      throw new TemplateFault("format_map() takes one dict");
    }
    final java.util.Map<String, Object> named = new java.util.HashMap<>();
    dict.entries().forEach(entry -> named.put(Repr.str(budget, entry.key()), entry.value()));
    return format(budget, format, new Arguments(java.util.List.of(), named));
  }

  private String expand(String format, int nesting) {
    if (nesting == 0) {
      throw new TemplateFault("a format nests its fields too deep");
    }
    final TextBuilder out = new TextBuilder(budget);
    int i = 0;
    while (i < format.length()) {
      final char c = format.charAt(i);
      final boolean doubled = i + 1 < format.length() && format.charAt(i + 1) == c;
      if ((c == '{' || c == '}') && doubled) {
        out.append(c);
        i += 2;
      } else if (c == '{') {
        final int end = fieldEnd(format, i);
        out.append(field(format.substring(i + 1, end), nesting));
        i = end + 1;
      } else if (c == '}') {
        throw new TemplateFault("a format has a single '}'");
      } else {
        int end = i;
        while (end < format.length() && format.charAt(end) != '{' && format.charAt(end) != '}') {
          end++;
        }
        out.append(format.substring(i, end));
        i = end;
      }
    }
    return out.toString();
  }

  private static int fieldEnd(String format, int start) {
    int depth = 0;
    for (int i = start; i < format.length(); i++) {
      depth += format.charAt(i) == '{' ? 1 : format.charAt(i) == '}' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw new TemplateFault("a format has a single '{'");
  }

  private static final Pattern FIELD =
      Pattern.compile("(?s)([^!:\\[]*(?:\\[[^]]*][^!:\\[]*)*)(?:!([^:]*))?(?::(.*))?");

  private String field(String field, int nesting) {
    final Matcher parts = FIELD.matcher(field);
    if (!parts.matches()) {
      throw new TemplateFault("a format has a broken field");
    }
    Object value = value(parts.group(1));
    if (parts.group(2) != null) {
      value =
          switch (parts.group(2)) {
            case "s" -> Repr.str(budget, value);
            case "r", "a" -> Repr.repr(budget, value);
            default ->
                throw new TemplateFault("a format has no conversion '" + parts.group(2) + "'");
          };
    }
    final String spec = parts.group(3) == null ? "" : expand(parts.group(3), nesting - 1);
    return FormatSpec.format(budget, value, spec);
  }

  private static final Pattern STEP = Pattern.compile("\\.([^.\\[]+)|\\[([^]]+)]");

  private Object value(String path) {
    int end = 0;
    while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
      end++;
    }
    Object value = first(path.substring(0, end));
    final Matcher step = STEP.matcher(path);
    while (end < path.length()) {
      if (!step.find(end) || step.start() != end) {
        throw new TemplateFault("a format has a broken field");
      }
      value =
          step.group(1) != null
              ? Subscripts.attribute(budget, value, step.group(1))
              : Subscripts.item(budget, value, key(step.group(2)));
      end = step.end();
    }
    return value;
  }

  private static Object key(String text) {
    return text.matches("[0-9]{1,9}") ? (Object) Long.valueOf(text) : text;
  }

  private Object first(String name) {
    Object value = null;
    if (name.isEmpty() || name.matches("[0-9]{1,9}")) {
      final int index = name.isEmpty() ? automatic++ : Integer.parseInt(name);
      numbered |= !name.isEmpty();
      if (numbered && automatic > 0) {
        throw new TemplateFault("a format numbers some of its fields, but not all");
      }
      value = index < arguments.positional().size() ? arguments.positional().get(index) : null;
    } else {
      value = arguments.named().get(name);
    }
    if (value == null) {
      throw new TemplateFault("a format has no value for {" + name + "}");
    }
    return value;
  }
}
