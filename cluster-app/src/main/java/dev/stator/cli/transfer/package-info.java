/**
 * {@code stator bench transfer}: how fast blocks move each way, beside a plain copy and a plain
 * socket. In: sizes; out: a {@link dev.stator.cli.transfer.TransferReport}. The receiver is a
 * second process, which this one starts and talks to by lines of JSON.
 */
package dev.stator.cli.transfer;
