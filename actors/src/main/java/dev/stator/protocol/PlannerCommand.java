package dev.stator.protocol;

/** To the planner. */
public sealed interface PlannerCommand permits WorkerUp, WorkerReport {}
