package dev.stator.model.text.template;

import java.util.HashMap;
import java.util.Map;

/** The filters by name. */
final class Filters {
  private static final Map<String, Method<Object>> FILTERS = filters();

  private Filters() {}

  static boolean exists(String name) {
    return FILTERS.containsKey(name);
  }

  static Object apply(Budget budget, String name, Object value, Arguments arguments) {
    final Method<Object> filter = FILTERS.get(name);
    if (filter == null) {
      throw new TemplateFault("there is no filter named '" + name + "'");
    }
    return filter.call(budget, value, arguments);
  }

  private static Map<String, Method<Object>> filters() {
    final Map<String, Method<Object>> filters = new HashMap<>();
    TextFilters.addTo(filters);
    ValueFilters.addTo(filters);
    SequenceFilters.addTo(filters);
    OrderFilters.addTo(filters);
    SelectionFilters.addTo(filters);
    return Map.copyOf(filters);
  }
}
