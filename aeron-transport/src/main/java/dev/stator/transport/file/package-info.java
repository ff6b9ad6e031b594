/**
 * Blocks as files in a folder that both ends see, such as a network file system; slow, and easy to
 * look at.
 */
package dev.stator.transport.file;
