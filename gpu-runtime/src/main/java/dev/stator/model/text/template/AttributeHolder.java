package dev.stator.model.text.template;

/** An object whose attributes a template may read. */
interface AttributeHolder {
  /** The attribute's value, or null where there is none. */
  Object attribute(String name);

  String typeName();
}
