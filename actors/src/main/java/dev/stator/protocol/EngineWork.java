package dev.stator.protocol;

/** How fast a worker's engine is; sent every report interval in which it has worked. */
public record EngineWork(WorkerId id, StepSums steps) implements PlannerCommand {}
