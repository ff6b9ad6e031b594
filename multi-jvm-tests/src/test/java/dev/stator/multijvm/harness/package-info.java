/** Starts, watches and kills processes of the distribution. */
package dev.stator.multijvm.harness;
