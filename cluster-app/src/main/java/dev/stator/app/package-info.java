/**
 * The one place that sees all parts: {@link dev.stator.app.Main} and the wiring of a whole node,
 * from the command line's {@link dev.stator.cli.NodeSettings} to a bound address.
 */
package dev.stator.app;
