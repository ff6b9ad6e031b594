package dev.stator.transport;

import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Both ends of reads. The reader grants the target blocks and asks; the exporting agent writes into
 * them, so that a read needs no more of a backend than a write and a message.
 *
 * <pre>
 *   reader:    grant targets ── ReadRequest ──▶ exporter: check key, life, blocks; write
 *              GrantOutcome COMPLETE ◀────────────────────── blocks
 *              revoke ◀── ReadFailed ──────────────────────── (only when it went wrong)
 * </pre>
 *
 * <b>Threads:</b> any.
 */
final class BlockReads {
  private static final Logger LOG = LoggerFactory.getLogger(BlockReads.class);

  /** Posts a write, as {@link TransferAgent#write} does. */
  @FunctionalInterface
  interface Writer {
    void write(
        Grant grant,
        RegisteredMemory memory,
        List<BlockMove> moves,
        Consumer<WriteOutcome> listener);
  }

  private final AgentAddress address;
  private final TransferBackend backend;
  private final TransferSettings settings;
  private final TransferCounters counters;
  private final GrantBook grants;
  private final ExportBook exports;
  private final Writer writer;
  private final Map<Long, PostedRead> reads = new ConcurrentHashMap<>(); // By the grant's id.

  BlockReads(
      AgentAddress address,
      TransferBackend backend,
      TransferSettings settings,
      TransferCounters counters,
      GrantBook grants,
      ExportBook exports,
      Writer writer) {
    this.address = address;
    this.backend = backend;
    this.settings = settings;
    this.counters = counters;
    this.grants = grants;
    this.exports = exports;
    this.writer = writer;
  }

  void read(
      long id,
      Export export,
      RegisteredMemory memory,
      List<BlockMove> moves,
      Consumer<ReadOutcome> listener) {
    final TransferStatus trouble = check(export, memory, moves);
    if (trouble != TransferStatus.OK) {
      listener.accept(new ReadOutcome(id, trouble, 0, moves));
      return;
    }
    final var read = new PostedRead(id, List.copyOf(moves), new PostedRead.TroubleHolder());
    final BiConsumer<GrantOutcome, BitSet> onEnd =
        (outcome, arrived) -> {
          reads.remove(outcome.grantId());
          listener.accept(read.outcome(outcome, arrived));
        };
    final List<Integer> targets = moves.stream().map(BlockMove::targetBlock).toList();
    final var grant =
        grants.open(
            address,
            memory,
            targets,
            settings.writeTimeout(),
            opened -> reads.put(opened.id(), read),
            onEnd);
    if (grant.isEmpty()) {
      listener.accept(new ReadOutcome(id, TransferStatus.BACK_PRESSURED, 0, moves));
      return;
    }
    ask(export, grant.get(), read);
  }

  private TransferStatus check(Export export, RegisteredMemory memory, List<BlockMove> moves) {
    final var refusal = export.geometry().refusal(memory.geometry());
    if (refusal.isPresent()) {
      LOG.warn("Not read from {}: {}", export.agent().agent(), refusal.get());
      return TransferStatus.WRONG_GEOMETRY;
    }
    final Set<Integer> exported = new HashSet<>(export.blocks());
    for (BlockMove move : moves) {
      if (!exported.contains(move.sourceBlock())) return TransferStatus.OUT_OF_RANGE;
    }
    if (moves.size() > settings.inFlightBlocksMax()) return TransferStatus.BACK_PRESSURED;
    return backend.reaches(export.agent()) ? TransferStatus.OK : TransferStatus.UNREACHABLE;
  }

  private void ask(Export export, Grant grant, PostedRead read) {
    final List<BlockMove> moves = read.moves();
    final int step = AgentMessage.ReadRequest.MOVES_MAX;
    for (int from = 0; from < moves.size(); from += step) {
      final var request =
          new AgentMessage.ReadRequest(
              export.id(),
              export.keyHigh(),
              export.keyLow(),
              grant,
              moves.subList(from, Math.min(moves.size(), from + step)));
      if (send(export.agent(), request)) continue;
      end(grant.id(), read, TransferStatus.BACK_PRESSURED);
      return;
    }
  }

  /** Ends a read under way. Unknown ids are ignored. */
  void cancel(long readId) {
    reads.forEach((grantId, read) -> {
      if (read.id() == readId) end(grantId, read, TransferStatus.CANCELLED);
    });
  }

  private void end(long grantId, PostedRead read, TransferStatus why) {
    read.trouble().set(why);
    grants.end(grantId, GrantOutcome.Ending.REVOKED);
  }

  void receive(MemorySegment message) {
    final var decoded =
        message.byteSize() > TransferBackend.MESSAGE_BYTES_MAX
            ? null
            : AgentMessageCodec.decode(message.asByteBuffer()).orElse(null);
    switch (decoded) {
      case null -> counters.rejected(TransferStatus.MALFORMED);
      case AgentMessage.ReadRequest request -> serve(request);
      case AgentMessage.ReadFailed failed -> failed(failed);
    }
  }

  private void failed(AgentMessage.ReadFailed failed) {
    final PostedRead read = reads.get(failed.grantId());
    if (read == null) {
      counters.rejected(TransferStatus.UNKNOWN_GRANT);
    } else if (!grants.opens(failed.grantId(), failed.keyHigh(), failed.keyLow())) {
      counters.rejected(TransferStatus.WRONG_KEY);
    } else {
      end(failed.grantId(), read, failed.status());
    }
  }

  /** Answers only who knows the key: nobody else can make this agent send anything. */
  private void serve(AgentMessage.ReadRequest request) {
    final OpenExport open = exports.find(request.exportId());
    if (open == null) {
      counters.rejected(TransferStatus.UNKNOWN_GRANT);
    } else if (!open.opensWith(request.exportKeyHigh(), request.exportKeyLow())) {
      counters.rejected(TransferStatus.WRONG_KEY);
    } else if (!open.hasAll(request.moves())) {
      tellFailed(request.grant(), counters.rejected(TransferStatus.OUT_OF_RANGE));
    } else if (!open.enter()) {
      tellFailed(request.grant(), counters.rejected(TransferStatus.UNKNOWN_GRANT));
    } else {
      write(open, request);
    }
  }

  private void write(OpenExport open, AgentMessage.ReadRequest request) {
    writer.write(
        request.grant(),
        open.memory(),
        request.moves(),
        outcome -> {
          open.leave(outcome.writtenBlocks());
          if (outcome.status() != TransferStatus.OK) tellFailed(request.grant(), outcome.status());
        });
  }

  private void tellFailed(Grant grant, TransferStatus why) {
    send(
        grant.agent(),
        new AgentMessage.ReadFailed(grant.id(), grant.keyHigh(), grant.keyLow(), why));
  }

  private boolean send(AgentAddress to, AgentMessage message) {
    return backend.send(to, MemorySegment.ofBuffer(AgentMessageCodec.encode(message)));
  }
}
