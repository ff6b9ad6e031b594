/**
 * Messages that cross nodes: records of plain values and actor references, one sealed interface a
 * receiver. Ids, never objects, name workers and requests.
 *
 * <pre>
 *   session --Place--&gt; router --Placed--&gt; session --Generate--&gt; decode --Prefill--&gt; prefill
 *   session &lt;--TokenBatch-- decode          worker --WorkerUp, WorkerReport, KvBatch--&gt; router, cache, planner
 * </pre>
 */
package dev.stator.protocol;
