/**
 * The directory of cached blocks: which worker holds which block, in which tier, and who is reading
 * it. In: KV events, {@link dev.stator.protocol.CacheCommand}; out: places and leases.
 */
package dev.stator.cache;
