/**
 * Devices without a model. They write the tokens they compute into the KV blocks and answer from
 * what they read back, so that a wrong block shows in the answer.
 */
package dev.stator.device.simulated;
