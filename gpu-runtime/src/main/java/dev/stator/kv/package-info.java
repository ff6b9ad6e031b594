/**
 * KV blocks: how they are named (chained hashes), where they lie (layout), who holds them (pool,
 * tables). Pure: no thread, no clock, no device.
 */
package dev.stator.kv;
