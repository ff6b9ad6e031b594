package dev.stator.transport;

/**
 * How an export ended; told exactly once. From then on its blocks are not read for anybody.
 *
 * @param ending never {@link GrantOutcome.Ending#COMPLETE}
 * @param readBlocks how many arrived at readers, counting repeats
 */
public record ExportOutcome(long exportId, GrantOutcome.Ending ending, long readBlocks) {}
