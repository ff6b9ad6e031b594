/**
 * The engine: {@code schedule -> step -> commit}. The scheduler never touches a tensor, the device
 * never touches a queue. One thread owns an engine.
 */
package dev.stator.engine;
