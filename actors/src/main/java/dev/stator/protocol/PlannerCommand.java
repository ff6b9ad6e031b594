package dev.stator.protocol;

/**
 * To a model's planner. All figures are totals since the sender's start: a lost one costs nothing.
 */
public sealed interface PlannerCommand extends ClusterMessage
    permits WorkerUp, WorkerReport, EngineWork, TrafficReport {}
