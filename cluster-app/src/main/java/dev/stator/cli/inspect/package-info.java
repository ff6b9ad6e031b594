/** What a model file holds, for people and for programs. */
package dev.stator.cli.inspect;
