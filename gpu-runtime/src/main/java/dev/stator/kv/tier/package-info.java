/** Where KV blocks lie beyond the device's memory. Pure: no thread, no clock, no device. */
package dev.stator.kv.tier;
