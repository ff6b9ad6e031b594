package dev.stator.model.text.template;

/** A method of a built-in type, or a filter. */
@FunctionalInterface
interface Method<T> {
  Object call(Budget budget, T owner, Arguments arguments);

  /** What runs once the arguments are in their places; null stands for one that was left out. */
  @FunctionalInterface
  interface Body<T> {
    Object call(Budget budget, T owner, Object[] arguments);
  }

  static <T> Method<T> of(Signature signature, Body<T> body) {
    return (budget, owner, arguments) -> body.call(budget, owner, signature.bind(arguments));
  }
}
