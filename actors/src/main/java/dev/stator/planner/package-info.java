/**
 * How many slots prefill and how many decode. In: workers' reports; out: {@link
 * dev.stator.protocol.WorkerCommand.TakeRoles}. The rules are {@link
 * dev.stator.planner.SizingModel}; a decision is a value.
 */
package dev.stator.planner;
