package dev.stator.model.text.template;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToIntBiFunction;
import java.util.function.UnaryOperator;

/** The methods of {@code str}. */
final class StringMethods {
  private static final Map<String, Method<String>> METHODS = methods();

  private StringMethods() {}

  /** The method, or null. */
  static Method<String> find(String name) {
    return METHODS.get(name);
  }

  private static Map<String, Method<String>> methods() {
    final Map<String, Method<String>> methods = new HashMap<>();
    addCases(methods);
    addStrips(methods);
    addSplits(methods);
    addSearches(methods);
    addPaddings(methods);
    addPredicates(methods);
    methods.put("replace", positional("replace", StringMethods::replace, "old", "new", "count?"));
    methods.put(
        "join", positional("join", (budget, text, a) -> join(budget, text, a[0]), "iterable"));
    methods.put("format", BraceFormat::format);
    methods.put("format_map", BraceFormat::formatMap);
    return Map.copyOf(methods);
  }

  private static Method<String> positional(
      String name, Method.Body<String> body, String... parameters) {
    return Method.of(Signature.positional(name, parameters), body);
  }

  private static void addCases(Map<String, Method<String>> methods) {
    final Map<String, UnaryOperator<String>> cases =
        Map.of(
            "upper",
            text -> text.toUpperCase(Locale.ROOT),
            "lower",
            text -> text.toLowerCase(Locale.ROOT),
            "casefold",
            text -> text.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT),
            "capitalize",
            LetterCase::capitalize,
            "title",
            LetterCase::title,
            "swapcase",
            LetterCase::swap);
    cases.forEach((name, change) ->
        methods.put(name, positional(name, (budget, text, a) -> budget.paid(change.apply(text)))));
  }

  private static void addStrips(Map<String, Method<String>> methods) {
    methods.put(
        "strip", positional("strip", (b, text, a) -> strip(b, text, a[0], true, true), "chars?"));
    methods.put(
        "lstrip",
        positional("lstrip", (b, text, a) -> strip(b, text, a[0], true, false), "chars?"));
    methods.put(
        "rstrip",
        positional("rstrip", (b, text, a) -> strip(b, text, a[0], false, true), "chars?"));
    methods.put(
        "removeprefix",
        positional(
            "removeprefix",
            (b, text, a) -> {
              final String prefix = string(a[0]);
              return text.startsWith(prefix) ? b.paid(text.substring(prefix.length())) : text;
            },
            "prefix"));
    methods.put(
        "removesuffix",
        positional(
            "removesuffix",
            (b, text, a) -> {
              final String suffix = string(a[0]);
              return text.endsWith(suffix)
                  ? b.paid(text.substring(0, text.length() - suffix.length()))
                  : text;
            },
            "suffix"));
  }

  private static void addSplits(Map<String, Method<String>> methods) {
    methods.put("split", Method.of(Signature.of("split", "sep?", "maxsplit?"), Splitting::split));
    methods.put(
        "rsplit", Method.of(Signature.of("rsplit", "sep?", "maxsplit?"), Splitting::splitFromEnd));
    methods.put(
        "splitlines", Method.of(Signature.of("splitlines", "keepends?"), Splitting::splitLines));
    methods.put(
        "partition",
        positional("partition", (b, text, a) -> Splitting.partition(b, text, a[0], false), "sep"));
    methods.put(
        "rpartition",
        positional("rpartition", (b, text, a) -> Splitting.partition(b, text, a[0], true), "sep"));
  }

  private static void addSearches(Map<String, Method<String>> methods) {
    methods.put(
        "startswith",
        positional(
            "startswith",
            (b, text, a) -> affixed(b, text, a, String::startsWith),
            "prefix",
            "start?",
            "end?"));
    methods.put(
        "endswith",
        positional(
            "endswith",
            (b, text, a) -> affixed(b, text, a, String::endsWith),
            "suffix",
            "start?",
            "end?"));
    methods.put(
        "find",
        positional(
            "find", (b, text, a) -> find(b, text, a, String::indexOf), "sub", "start?", "end?"));
    methods.put(
        "rfind",
        positional(
            "rfind",
            (b, text, a) -> find(b, text, a, String::lastIndexOf),
            "sub",
            "start?",
            "end?"));
    methods.put(
        "index",
        positional(
            "index",
            (b, text, a) -> found(find(b, text, a, String::indexOf)),
            "sub",
            "start?",
            "end?"));
    methods.put(
        "rindex",
        positional(
            "rindex",
            (b, text, a) -> found(find(b, text, a, String::lastIndexOf)),
            "sub",
            "start?",
            "end?"));
    methods.put("count", positional("count", StringMethods::count, "sub", "start?", "end?"));
  }

  private static void addPaddings(Map<String, Method<String>> methods) {
    methods.put(
        "center",
        positional(
            "center",
            (b, text, a) -> Padding.center(b, text, Numbers.count(a[0]), a[1]),
            "width",
            "fillchar?"));
    methods.put(
        "ljust",
        positional(
            "ljust",
            (b, text, a) -> Padding.right(b, text, Numbers.count(a[0]), a[1]),
            "width",
            "fillchar?"));
    methods.put(
        "rjust",
        positional(
            "rjust",
            (b, text, a) -> Padding.left(b, text, Numbers.count(a[0]), a[1]),
            "width",
            "fillchar?"));
    methods.put(
        "zfill",
        positional("zfill", (b, text, a) -> Padding.zeros(b, text, Numbers.count(a[0])), "width"));
    methods.put(
        "expandtabs", Method.of(Signature.of("expandtabs", "tabsize?"), Padding::expandTabs));
  }

  private static void addPredicates(Map<String, Method<String>> methods) {
    final Map<String, Predicate<String>> predicates = new HashMap<>();
    predicates.put("isalpha", all(Character::isLetter));
    predicates.put("isdigit", all(LetterCase::isDigit));
    predicates.put("isdecimal", all(Character::isDigit));
    predicates.put("isnumeric", all(LetterCase::isNumeric));
    predicates.put("isalnum", all(code -> Character.isLetter(code) || LetterCase.isNumeric(code)));
    predicates.put("isspace", all(Text::isSpace));
    predicates.put("isascii", text -> text.chars().allMatch(c -> c < 0x80));
    predicates.put("isprintable", text -> text.codePoints().allMatch(Repr::isPrintable));
    predicates.put("isidentifier", LetterCase::isIdentifier);
    predicates.put("islower", LetterCase::isLower);
    predicates.put("isupper", LetterCase::isUpper);
    predicates.put("istitle", LetterCase::isTitle);
    predicates.forEach((name, predicate) ->
        methods.put(
            name,
            positional(
                name,
                (budget, text, a) -> {
                  budget.scan(text.length());
                  return predicate.test(text);
                })));
  }

  private static Predicate<String> all(java.util.function.IntPredicate predicate) {
    return text -> !text.isEmpty() && text.codePoints().allMatch(predicate);
  }

  static String string(Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw new TemplateFault("expected a string, got '" + Types.name(value) + "'");
  }

  /** Cuts white space, or any of {@code chars}, off the ends asked for. */
  static String strip(Budget budget, String text, Object chars, boolean atStart, boolean atEnd) {
    final boolean blank = chars == null || chars == NoneValue.NONE;
    final String set = blank ? "" : string(chars);
    int start = 0;
    int end = text.length();
    while (atStart && start < end && strips(set, blank, text.codePointAt(start))) {
      start += Character.charCount(text.codePointAt(start));
      budget.scan(set.length());
    }
    while (atEnd && end > start && strips(set, blank, text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
      budget.scan(set.length());
    }
    return end - start == text.length() ? text : budget.paid(text.substring(start, end));
  }

  private static boolean strips(String set, boolean blank, int code) {
    return blank ? Text.isSpace(code) : set.indexOf(code) >= 0;
  }

  static String replace(Budget budget, String text, Object[] a) {
    final String old = string(a[0]);
    final String fresh = string(a[1]);
    final int max =
        a[2] == null || Numbers.count(a[2]) < 0 ? Integer.MAX_VALUE : Numbers.count(a[2]);
    budget.search(text, old);
    if (old.isEmpty()) {
      return replaceGaps(budget, text, fresh, max);
    }
    final TextBuilder out = new TextBuilder(budget);
    int from = 0;
    int at = max == 0 ? -1 : text.indexOf(old);
    for (int count = 1; at >= 0; count++) {
      out.append(text.substring(from, at)).append(fresh);
      from = at + old.length();
      at = count < max ? text.indexOf(old, from) : -1;
    }
    return from == 0 ? text : out.append(text.substring(from)).toString();
  }

  /** Replacing the empty string puts the new one before each character and at the end. */
  private static String replaceGaps(Budget budget, String text, String fresh, int max) {
    final TextBuilder out = new TextBuilder(budget);
    int count = 0;
    int at = 0;
    while (at < text.length() && count < max) {
      final int next = at + Character.charCount(text.codePointAt(at));
      out.append(fresh).append(text.substring(at, next));
      at = next;
      count++;
    }
    return out.append(text.substring(at)).append(count < max ? fresh : "").toString();
  }

  static String join(Budget budget, String separator, Object items) {
    final TextBuilder out = new TextBuilder(budget);
    final List<Object> parts = Iteration.toList(budget, items);
    for (int i = 0; i < parts.size(); i++) {
      out.append(i == 0 ? "" : separator).append(string(parts.get(i)));
    }
    return out.toString();
  }

  private interface Affix {
    boolean test(String text, String affix);
  }

  private static boolean affixed(Budget budget, String text, Object[] a, Affix affix) {
    if (a[0] instanceof TupleValue options) {
      return options.items().stream()
          .anyMatch(
              option -> affixed(budget, text, new Object[] {string(option), a[1], a[2]}, affix));
    }
    final String wanted = string(a[0]);
    budget.scan(wanted.length());
    if (a[1] == null && a[2] == null) {
      return affix.test(text, wanted);
    }
    final Window window = window(budget, text, a);
    return window.valid() && affix.test(window.text(), wanted);
  }

  /**
   * The part of a string that a search looks at.
   *
   * @param start in code points
   * @param valid whether the start does not lie beyond the end
   */
  private record Window(String text, int start, boolean valid) {}

  private static Window window(Budget budget, String text, Object[] a) {
    budget.scan(text.length());
    final int length = Text.length(text);
    final long start = isGiven(a[1]) ? Numbers.index(a[1]) : 0;
    final long end = isGiven(a[2]) ? Numbers.index(a[2]) : length;
    final int from = (int) Math.max(0, Math.min(start < 0 ? start + length : start, length + 1L));
    final int to = Text.clamp(end, length);
    return from > to
        ? new Window("", from, false)
        : new Window(Text.between(text, from, to), from, true);
  }

  private static boolean isGiven(Object value) {
    return value != null && value != NoneValue.NONE;
  }

  private static long find(
      Budget budget, String text, Object[] a, ToIntBiFunction<String, String> search) {
    final String wanted = string(a[0]);
    final Window window = window(budget, text, a);
    budget.search(window.text(), wanted);
    final int at = window.valid() ? search.applyAsInt(window.text(), wanted) : -1;
    return at < 0 ? -1 : window.start() + (long) window.text().codePointCount(0, at);
  }

  private static long found(long index) {
    if (index < 0) {
      throw new TemplateFault("a substring was not found");
    }
    return index;
  }

  private static Object count(Budget budget, String text, Object[] a) {
    final String wanted = string(a[0]);
    final Window window = window(budget, text, a);
    budget.search(window.text(), wanted);
    if (!window.valid()) {
      return 0L;
    }
    if (wanted.isEmpty()) {
      return Text.length(window.text()) + 1L;
    }
    long count = 0;
    for (int at = window.text().indexOf(wanted); at >= 0; count++) {
      at = window.text().indexOf(wanted, at + wanted.length());
    }
    return count;
  }
}
