/**
 * Where a request runs. In: {@link dev.stator.protocol.Place}, KV events, load; out: a {@link
 * dev.stator.protocol.Placement} with its reasons. The rules are plain classes: {@link
 * dev.stator.router.PrefixIndex}, {@link dev.stator.router.LoadBook}, {@link
 * dev.stator.router.CostModel}.
 */
package dev.stator.router;
