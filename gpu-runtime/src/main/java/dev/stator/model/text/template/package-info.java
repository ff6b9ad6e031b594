/**
 * Chat templates: the part of Jinja 2 that they are written in, rendered as Hugging Face's {@code
 * apply_chat_template} renders it ({@code trim_blocks}, {@code lstrip_blocks}, an immutable
 * sandbox, a {@code tojson} that keeps non-ASCII text).
 *
 * <p>In the order of a template's way: {@link Lexer} cuts the source into tokens, {@link
 * StatementParser} and {@link ExpressionParser} build the tree ({@link Statement}, {@link
 * Expression}), {@link Renderer} runs statements and {@link Evaluator} expressions, both within a
 * {@link Budget}. Values are Python's:
 *
 * <pre>
 *   None NoneValue   bool Boolean        int Long, BigInteger where it does not fit
 *   float Double     str String          undefined Undefined
 *   list ListValue   tuple TupleValue    dict DictValue      range RangeValue
 *   dict views DictView                  generators and iterators OneShot
 *   callables Function                   namespace, loop, macro AttributeHolder
 * </pre>
 *
 * Lists and dicts never change once built, because the sandbox forbids the methods that would
 * change them; so values may be shared, and nothing but a namespace can contain itself.
 *
 * <p>Known differences from Jinja: {@code escape} and {@code safe} give plain strings, a name that
 * is assigned further down at top level is found in the render variables until then, and template
 * inheritance, imports and the filters for HTML pages ({@code urlize}, {@code xmlattr}, ...) are
 * left out.
 */
package dev.stator.model.text.template;
