/**
 * The backends {@code ipc} (Aeron IPC between processes of one host) and {@code udp} (Aeron UDP
 * unicast). In: blocks to write; out: blocks in the memory of the agent that granted them.
 *
 * <pre>
 *   writer's process                                  receiver's process
 *   offer -&gt; Link -- hello, fragments, messages --&gt; Listener -&gt; Session -&gt; BlockSink
 *              ^------- welcome, acknowledgements ------------- Replies
 * </pre>
 *
 * One thread a process does all of it, the media driver's work included: see {@link
 * dev.stator.transport.aeron.AeronTransport}.
 */
package dev.stator.transport.aeron;
