/**
 * The cluster in virtual time, from a seed: discrete events, a timing model in place of the engine,
 * and the same pure rules that serve ({@link dev.stator.router.CostModel}, {@link
 * dev.stator.planner.PlannerCore}). Its figures are simulated: they compare policies, they do not
 * measure a machine.
 */
package dev.stator.simulation;
