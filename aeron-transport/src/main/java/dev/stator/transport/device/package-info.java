/**
 * Blocks from one process's device to another's, on one host: the writer lends its device's memory
 * by a handle, the receiving process pulls blocks out of it into its own, and counts them when the
 * writer has confirmed that it held them. What a device is, and how one process gets at another's,
 * is the {@link dev.stator.transport.DevicePool}'s matter.
 */
package dev.stator.transport.device;
