/** {@code stator bench kernels}: one matrix by each kernel family, beside a plain read of it. */
package dev.stator.cli.kernels;
