package dev.stator.model.text.template;

import dev.stator.model.text.template.Expression.Relation;
import java.util.Map;

/** The methods of dicts, lists and tuples that leave them as they are. */
final class CollectionMethods {
  private static final Map<String, Method<DictValue>> FOR_DICT =
      Map.of(
          "get", Method.of(Signature.positional("get", "key", "default?"), CollectionMethods::get),
          "keys", view("keys", DictView.Part.KEYS),
          "values", view("values", DictView.Part.VALUES),
          "items", view("items", DictView.Part.ITEMS),
          "copy", Method.of(Signature.positional("copy"), (budget, dict, a) -> dict));
  private static final Map<String, Method<Sequence>> FOR_SEQUENCE =
      Map.of(
          "count", Method.of(Signature.positional("count", "value"), CollectionMethods::count),
          "index",
              Method.of(
                  Signature.positional("index", "value", "start?", "stop?"),
                  CollectionMethods::index));
  private static final Method<Sequence> COPY =
      Method.of(Signature.positional("copy"), (budget, list, a) -> list);

  private CollectionMethods() {}

  static Method<DictValue> findForDict(String name) {
    return FOR_DICT.get(name);
  }

  /** A method of lists, or of tuples, or null. */
  static Method<Sequence> findForSequence(String name, boolean list) {
    return list && name.equals("copy") ? COPY : FOR_SEQUENCE.get(name);
  }

  private static Method<DictValue> view(String name, DictView.Part part) {
    return Method.of(Signature.positional(name), (budget, dict, a) -> new DictView(dict, part));
  }

  private static Object get(Budget budget, DictValue dict, Object[] a) {
    final Object value = dict.get(budget, a[0]);
    return value != null ? value : a[1] != null ? a[1] : NoneValue.NONE;
  }

  private static Object count(Budget budget, Sequence sequence, Object[] a) {
    long count = 0;
    for (int i = 0; i < sequence.length(); i++) {
      count += isSame(budget, sequence.get(i), a[0]) ? 1 : 0;
    }
    return count;
  }

  private static Object index(Budget budget, Sequence sequence, Object[] a) {
    final int start = a[1] == null ? 0 : Text.clamp(Numbers.index(a[1]), sequence.length());
    final int stop =
        a[2] == null ? sequence.length() : Text.clamp(Numbers.index(a[2]), sequence.length());
    for (int i = start; i < stop; i++) {
      if (isSame(budget, sequence.get(i), a[0])) {
        return (long) i;
      }
    }
    throw new TemplateFault("a value is not in the list");
  }

  private static boolean isSame(Budget budget, Object a, Object b) {
    return a == b || Comparison.holds(budget, Relation.EQUAL, a, b);
  }
}
