package dev.stator.model.text.template;

import java.util.Iterator;
import java.util.List;

/** What a dict's {@code keys()}, {@code values()} or {@code items()} gives. */
record DictView(DictValue dict, Part part) {
  enum Part {
    KEYS("dict_keys"),
    VALUES("dict_values"),
    ITEMS("dict_items");

    private final String typeName;

    Part(String typeName) {
      this.typeName = typeName;
    }

    String typeName() {
      return typeName;
    }
  }

  Iterator<Object> iterator(Budget budget) {
    final Iterator<DictValue.Entry> entries = dict.entries().iterator();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return entries.hasNext();
      }

      @Override
      public Object next() {
        final DictValue.Entry entry = entries.next();
        return switch (part) {
          case KEYS -> entry.key();
          case VALUES -> entry.value();
          case ITEMS -> new TupleValue(budget, List.of(entry.key(), entry.value()));
        };
      }
    };
  }
}
