package dev.stator.engine;

import dev.stator.device.StepInput;
import dev.stator.kv.BlockHash;
import dev.stator.kv.BlockHasher;
import dev.stator.kv.BlockPool;
import dev.stator.kv.BlockTable;
import dev.stator.model.Pooling;
import java.util.Arrays;

/**
 * One sequence in the engine: its tokens, its blocks, and how far it has come.
 *
 * <pre>
 *   tokens   │ prompt ...............................│ answer ....│ drafts │
 *            0                              promptLength       length           lengthMax
 *   blocks   │ found or computed, full │ filling            │ reserved       │
 *            0                      computed  computed + scheduled + drafted
 *
 *   ANSWER:   submit ─▶ WAITING ◀──preempt/start──▶ RUNNING ─▶ ENDED
 *             reserve ─▶ RESERVED ───────resume───────▲
 *             WAITING ──load──▶ RESERVED ──loaded──▶ RUNNING ──failure──▶ ENDED
 *   PREFILL:  prefill ─▶ WAITING ───start───▶ RUNNING ──done, failure──▶ PREFILLED
 *                        WAITING ──load──▶ RESERVED ──loaded──▶ RUNNING
 *   any state ──cancel──▶ ENDED ◀──release── any state of a PREFILL
 * </pre>
 */
final class Sequence {
  enum Kind {
    ANSWER,
    PREFILL
  }

  enum State {
    WAITING,
    RUNNING,
    RESERVED,
    PREFILLED,
    ENDED
  }

  private static final int ANSWER_ROOM = 64;

  private final GenerationRequest request;
  private final Kind kind;
  private final long arrival;
  private final int lengthMax;
  private final LogitRules rules;
  private final ConstrainedAnswer constraint;
  private final BlockHasher hasher;
  private final BlockTable table = new BlockTable();

  private int[] tokens;
  private int length;
  private BlockHash parent; // Of the next block to be hashed.
  private BlockHash[] hashes = {};
  private int hashCount;
  private PromptLookup lookup; // From the first draft on.
  private DraftPace pace;
  private float[] hiddenState; // Of a request for an embedding: pooled so far.

  // The scheduler's.
  State state = State.WAITING;
  int computed; // Tokens whose keys and values are in the blocks.
  int scheduled; // Tokens of the step that is being made.
  int drafted; // Behind them in that step, and behind the last token: guesses.
  int filledBlocks; // The first blocks of the table that have been or are being written.
  int publishedBlocks; // The first blocks of the table that have their names.
  int reportedBlocks; // Of a prefill: blocks the caller knows of.
  int pinnedBlocks; // Blocks that only the caller can let go of, or copies that end.
  int loadingBlocks; // Behind the published ones: are being copied from the host.
  boolean isLoadLost; // Of a reserved sequence: those copies have failed.
  boolean endsWhenLoaded;
  int filledBehind = -1; // Of a reserved sequence: written behind the copied ones; not known yet.
  int awaitedBlock = -1; // The block it was last seen waiting for while another computes it.
  int cachedTokens; // Found when it was first scheduled.
  boolean wasScheduled;

  Sequence(
      GenerationRequest request,
      Kind kind,
      long arrival,
      int lengthMax,
      LogitRules rules,
      ConstrainedAnswer constraint,
      BlockHasher hasher) {
    this.request = request;
    this.kind = kind;
    this.arrival = arrival;
    this.lengthMax = lengthMax;
    this.rules = rules;
    this.constraint = constraint;
    this.hasher = hasher;
    this.tokens = request.tokens();
    this.length = tokens.length;
    this.parent = hasher.root(request.cacheSalt());
  }

  RequestId id() {
    return request.id();
  }

  Kind kind() {
    return kind;
  }

  /** Its place in the order of arrival. */
  long arrival() {
    return arrival;
  }

  SamplingParams params() {
    return request.sampling();
  }

  /** How it becomes an embedding; {@code null} when it becomes an answer. */
  Pooling pooling() {
    return request.pooling();
  }

  /**
   * Where the hidden states of the step that is being made go; {@code null} when none are needed.
   *
   * @param size of a hidden state
   */
  StepInput.Pooled pooled(int size) {
    if (kind == Kind.PREFILL || pooling() == null) return null;
    if (pooling() == Pooling.LAST && scheduled < remaining()) return null;
    if (hiddenState == null || computed == 0) hiddenState = new float[size];
    return new StepInput.Pooled(pooling(), hiddenState);
  }

  /** The embedding, once nothing remains. */
  float[] embedding() {
    if (pooling() == Pooling.LAST) return hiddenState;
    final float[] mean = new float[hiddenState.length];
    for (int i = 0; i < mean.length; i++) mean[i] = hiddenState[i] / length;
    return mean;
  }

  LogitRules rules() {
    return rules;
  }

  /** What its answer must be; {@code null} for anything. */
  ConstrainedAnswer constraint() {
    return constraint;
  }

  BlockTable table() {
    return table;
  }

  /**
   * Prompt and answer so far, at least {@link #length} long and unchanged up to there; behind it
   * the drafts.
   */
  int[] tokens() {
    return tokens;
  }

  int length() {
    return length;
  }

  int lengthMax() {
    return lengthMax;
  }

  int promptLength() {
    return request.promptLength();
  }

  int answerLength() {
    return length - promptLength();
  }

  /**
   * Full blocks before the last token: what can be found or prefilled; the last token's logits are
   * needed.
   */
  int prefillBlocks() {
    if (request.pooling() == Pooling.MEAN) return 0; // All hidden states are needed.
    return (length - 1) / hasher.blockSize();
  }

  /** Tokens that are to be computed before there is something to choose or to hand over. */
  int target() {
    return kind == Kind.PREFILL ? prefillBlocks() * hasher.blockSize() : length;
  }

  int remaining() {
    return target() - computed;
  }

  boolean isDecoding() {
    return kind == Kind.ANSWER && remaining() == 1;
  }

  /** Blocks that hold the tokens it has now. */
  int blocksNow() {
    return blocks(target());
  }

  /** Blocks it may come to hold; the last token of all is never computed. */
  int blocksMax() {
    return kind == Kind.PREFILL ? prefillBlocks() : Math.max(blocksNow(), blocks(lengthMax - 1));
  }

  private int blocks(int tokenCount) {
    return Math.ceilDiv(tokenCount, hasher.blockSize());
  }

  /** The name of the full block at an index; computed once. */
  BlockHash hash(int blockIndex) {
    final int blockSize = hasher.blockSize();
    if ((blockIndex + 1) * blockSize > length) {
      throw new IndexOutOfBoundsException("block " + blockIndex + " is not full");
    }
    if (blockIndex >= hashes.length) {
      hashes = Arrays.copyOf(hashes, Math.max(blockIndex + 1, hashes.length * 2));
    }
    for (; hashCount <= blockIndex; hashCount++) {
      parent = hasher.hash(parent, tokens, hashCount * blockSize);
      hashes[hashCount] = parent;
    }
    return hashes[blockIndex];
  }

  /** Marks the blocks of the first tokens as being written. */
  void fillBlocks(BlockPool pool, int tokenCount) {
    for (; filledBlocks < blocks(tokenCount); filledBlocks++) pool.fill(table.block(filledBlocks));
  }

  /** Adds a token to the answer. */
  void append(int token) {
    makeRoom(1);
    tokens[length++] = token;
  }

  /** At first there is none, so that the request's own array stays as it is. */
  private void makeRoom(int count) {
    if (length + count <= tokens.length) return;
    final int room = Math.max(count, Math.max(ANSWER_ROOM, length / 2));
    tokens = Arrays.copyOf(tokens, (int) Math.min(lengthMax, (long) length + room));
  }

  /**
   * Writes guesses of the next tokens behind the last one.
   *
   * @param countMax fits before {@link #lengthMax}; none when not positive
   * @return how many
   */
  int draft(SpeculationSettings settings, int countMax) {
    if (lookup == null) {
      lookup = new PromptLookup(settings.ngramMin(), settings.ngramMax());
      pace = new DraftPace(settings.tokensMax());
    }
    final int count = Math.min(countMax, pace.next());
    if (count <= 0) return 0;
    makeRoom(count);
    drafted = lookup.draft(tokens, length, count);
    return drafted;
  }

  /** Whether a token, which is to be appended, is the one of the drafts that stands there. */
  boolean isAsDrafted(int token, int draftsBefore) {
    return draftsBefore < drafted && tokens[length] == token;
  }

  /** Has no drafts any more; the first {@code acceptedCount} of them were right. */
  void draftsVerified(int acceptedCount) {
    if (drafted > 0) pace.verified(drafted, acceptedCount);
    drafted = 0;
  }
}
