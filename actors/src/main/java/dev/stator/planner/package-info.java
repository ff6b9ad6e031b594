/**
 * How many slots of a model prefill and how many decode. In: totals from workers ({@link
 * dev.stator.protocol.WorkerReport}, {@link dev.stator.protocol.EngineWork}) and frontends ({@link
 * dev.stator.protocol.TrafficReport}); out: {@link dev.stator.protocol.WorkerCommand.TakeRoles} and
 * decisions as values.
 *
 * <pre>
 *   Planner (messages) ── PlannerCore ──▶ PoolWatch ── LoadForecast, StepTime ──▶ Situation
 *                              ▲                                                      │
 *                              └── decisions ── SizingModel ◀── PoolModel ◀───────────┘
 * </pre>
 *
 * All but the actor is pure and knows no clock, so {@code dev.stator.simulation} runs it as it is.
 */
package dev.stator.planner;
