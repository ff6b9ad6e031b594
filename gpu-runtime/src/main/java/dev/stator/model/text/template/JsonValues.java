package dev.stator.model.text.template;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Request JSON as template values, the order of fields kept. */
final class JsonValues {
  private final Budget budget;

  /** Pays for structure only: the text belongs to the request. */
  JsonValues(Budget budget) {
    this.budget = budget;
  }

  Object value(JsonNode node) {
    return switch (node.getNodeType()) {
      case OBJECT -> dict(node);
      case ARRAY -> list(node);
      case STRING -> node.textValue();
      case BOOLEAN -> node.booleanValue();
      case NUMBER ->
          node.isIntegralNumber()
              ? Numbers.normal(node.bigIntegerValue())
              : (Object) node.doubleValue();
      case NULL, MISSING -> NoneValue.NONE;
      case BINARY, POJO -> node.asText();
    };
  }

  ListValue list(Iterable<JsonNode> nodes) {
    budget.enter();
    final List<Object> items = new ArrayList<>();
    nodes.forEach(node -> items.add(value(node)));
    budget.leave();
    return new ListValue(budget, items);
  }

  private DictValue dict(JsonNode node) {
    budget.enter();
    final DictValue.Builder dict = new DictValue.Builder(budget);
    node.properties().forEach(field -> dict.put(field.getKey(), value(field.getValue())));
    budget.leave();
    return dict.build();
  }
}
