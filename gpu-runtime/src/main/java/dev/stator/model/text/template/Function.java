package dev.stator.model.text.template;

/** Something that a template can call. */
@FunctionalInterface
interface Function {
  Object call(Arguments arguments);
}
