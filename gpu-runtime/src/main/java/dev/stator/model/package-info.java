/**
 * What a model is: its shape, its weights as they lie in the file, and the words that go with it.
 * The readers are in {@link dev.stator.model.file}, text in {@link dev.stator.model.text}; devices
 * turn weights into their own layout.
 */
package dev.stator.model;
