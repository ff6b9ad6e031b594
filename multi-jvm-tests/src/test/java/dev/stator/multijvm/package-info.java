/** Scenarios over real processes of the real distribution, one class a scenario. */
package dev.stator.multijvm;
