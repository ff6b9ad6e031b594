package dev.stator.model.text.template;

/** Python's {@code None}. */
enum NoneValue {
  NONE
}
