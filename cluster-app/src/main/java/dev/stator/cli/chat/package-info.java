/** A chat in the terminal. In: lines; out: answers as they are made. */
package dev.stator.cli.chat;
