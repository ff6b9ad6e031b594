/**
 * What the planner is worth, simulated or on processes of this machine: one load, each fixed split
 * of the slots and the planner, side by side.
 */
package dev.stator.cli.planner;
