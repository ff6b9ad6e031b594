package dev.stator.device.cpu;

import dev.stator.kv.KvLayout.KvType;
import dev.stator.model.WeightType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Projections and attention in C, from the library for one instruction set. All instruction sets
 * give the same bits, by the programs in {@code gpu-runtime/NUMERICS.md}; for BF16 AMX has a
 * program of its own.
 *
 * <p>Calls of projections are critical ones, so that Java arrays can be given: none may last longer
 * than about a millisecond, since a garbage collection waits for it.
 *
 * <p><b>Threads:</b> any. <b>Ownership:</b> a library stays loaded until the process ends.
 */
final class NativeKernels {
  /** What a library is built for; the earlier, the faster. */
  enum InstructionSet {
    AMX("AMX int8 and BF16"),
    AVX512BF16("AVX-512 VNNI and BF16"),
    AVX512VNNI("AVX-512 VNNI"),
    AVXVNNI("AVX-VNNI"),
    AVX2("AVX2");

    private final String title;

    InstructionSet(String title) {
      this.title = title;
    }

    /** For the user. */
    String title() {
      return title;
    }

    String resource() {
      return "native/libstator-cpu-" + name().toLowerCase(Locale.ROOT) + ".so";
    }
  }

  /** The functions of one weight type. */
  static final class Format {
    private final Inputs.Form form;
    private final MethodHandle pack;
    private final MethodHandle packFromHeap;
    private final MethodHandle multiply;
    private final MethodHandle panelBytes;

    private Format(Inputs.Form form, String type, String layout, SymbolLookup library) {
      this.form = form;
      pack = downcall(library, "pack_" + type, PACK);
      packFromHeap = handle(library, "pack_" + type, PACK);
      multiply = handle(library, "multiply_" + layout, MULTIPLY);
      panelBytes = handle(library, "panel_bytes_" + layout, BYTES);
    }

    /** The inputs that {@link #multiply} reads. */
    Inputs.Form form() {
      return form;
    }

    /** Bytes of a panel of 16 rows. */
    long panelBytes(int columns) {
      try {
        return (long) panelBytes.invokeExact((long) columns);
      } catch (Throwable t) {
        throw failed(t);
      }
    }

    /**
     * Repacks up to 16 rows, into memory off the heap. Pages of a file or of fresh memory may take
     * long to come, but no garbage collection waits for them.
     *
     * @return the first row with a scale or value that is not finite, or -1
     */
    long pack(MemorySegment source, int rows, int columns, MemorySegment panel) {
      try {
        return (long)
            (source.isNative() ? pack : packFromHeap)
                .invokeExact(source, (long) rows, (long) columns, panel);
      } catch (Throwable t) {
        throw failed(t);
      }
    }

    /**
     * Writes {@code out[t * outStride + 16 * p + row]} for all tokens and panels.
     *
     * @param panels address of the first panel
     * @param rows address of the first token's inputs, at the start of a tile
     */
    void multiply(
        long panels,
        int panelCount,
        int columns,
        long rows,
        int tokens,
        MemorySegment out,
        int outStride) {
      try {
        multiply.invokeExact(
            panels, (long) panelCount, (long) columns, rows, (long) tokens, out, (long) outStride);
      } catch (Throwable t) {
        throw failed(t);
      }
    }
  }

  /** Attention to keys and values stored in one way. */
  static final class Attend {
    private final MethodHandle attend;

    private Attend(KvType type, SymbolLookup library) {
      attend = downcall(library, "attend_" + type.title(), ATTEND);
    }

    /**
     * Queries of one key/value head; all memory is off the heap, in {@code attention.inc}'s layout.
     *
     * @param pool of KV blocks
     * @param blocks of the sequence, in order
     * @param spans where the positions that each query sees begin, then where they end
     * @param scores scratch, {@code rowLength} floats a query
     */
    void run(
        MemorySegment pool,
        long blockBytes,
        MemorySegment blocks,
        long keyOffset,
        long valueOffset,
        Attention.Heads heads,
        MemorySegment q,
        MemorySegment spans,
        int queries,
        MemorySegment scores,
        int rowLength,
        MemorySegment out) {
      try {
        attend.invokeExact(
            pool,
            blockBytes,
            blocks,
            keyOffset,
            valueOffset,
            (long) heads.headSize(),
            heads.scale(),
            heads.scoreCap(),
            q,
            spans,
            (long) queries,
            scores,
            (long) rowLength,
            out);
      } catch (Throwable t) {
        throw failed(t);
      }
    }
  }

  private static final FunctionDescriptor ATTEND =
      FunctionDescriptor.ofVoid(
          ValueLayout.ADDRESS,
          ValueLayout.JAVA_LONG,
          ValueLayout.ADDRESS,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_FLOAT,
          ValueLayout.JAVA_FLOAT,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          ValueLayout.JAVA_LONG,
          ValueLayout.ADDRESS,
          ValueLayout.JAVA_LONG,
          ValueLayout.ADDRESS);
  private static final FunctionDescriptor PACK =
      FunctionDescriptor.of(
          ValueLayout.JAVA_LONG,
          ValueLayout.ADDRESS,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.ADDRESS);
  private static final FunctionDescriptor MULTIPLY =
      FunctionDescriptor.ofVoid(
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.ADDRESS,
          ValueLayout.JAVA_LONG);
  private static final FunctionDescriptor ROUND =
      FunctionDescriptor.ofVoid(
          ValueLayout.ADDRESS,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG);
  private static final FunctionDescriptor BYTES =
      FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);

  private final InstructionSet instructionSet;
  private final Map<WeightType, Format> formats = new EnumMap<>(WeightType.class);
  private final Map<Inputs.Form, MethodHandle> rounders = new EnumMap<>(Inputs.Form.class);
  private final Map<Inputs.Form, MethodHandle> rowBytes = new EnumMap<>(Inputs.Form.class);

  private final Map<KvType, Attend> attention = new EnumMap<>(KvType.class);

  private NativeKernels(InstructionSet instructionSet, SymbolLookup library) {
    this.instructionSet = instructionSet;
    for (KvType type : KvType.values()) attention.put(type, new Attend(type, library));
    add(WeightType.Q8_0, "q8_0", "q8_0", library);
    add(WeightType.Q5_0, "q5_0", "q8_0", library);
    add(WeightType.IQ4_NL, "iq4_nl", "q8_0", library);
    add(WeightType.Q4_0, "q4_0", "q4_0", library);
    add(WeightType.Q4_K, "q4_k", "q4_k", library);
    add(WeightType.Q5_K, "q5_k", "q5_k", library);
    add(WeightType.Q6_K, "q6_k", "q6_k", library);
    rounders.put(Inputs.Form.INT8, handle(library, "quantize", ROUND));
    rowBytes.put(Inputs.Form.INT8, handle(library, "row_bytes", BYTES));
    if (instructionSet == InstructionSet.AMX) addBf16(Inputs.Form.BF16_TILES, library);
    if (instructionSet == InstructionSet.AVX512BF16) addBf16(Inputs.Form.BF16, library);
  }

  private void addBf16(Inputs.Form form, SymbolLookup library) {
    formats.put(WeightType.BF16, new Format(form, "bf16", "bf16", library));
    rounders.put(form, handle(library, "round_bf16", ROUND));
    rowBytes.put(form, handle(library, "row_bytes_bf16", BYTES));
  }

  private void add(WeightType type, String name, String layout, SymbolLookup library) {
    formats.put(type, new Format(Inputs.Form.INT8, name, layout, library));
  }

  /** What a search for kernels found: some, or why there are none. */
  record Found(NativeKernels kernels, String obstacle) {}

  /** The fastest kernels that this build has and this processor runs. */
  static Found find() {
    return Best.FOUND;
  }

  private static final class Best {
    static final Found FOUND = search();

    private static Found search() {
      final List<String> obstacles = new ArrayList<>();
      for (InstructionSet instructionSet : InstructionSet.values()) {
        try {
          final Optional<NativeKernels> kernels = load(instructionSet);
          if (kernels.isPresent()) return new Found(kernels.get(), null);
        } catch (IOException | IllegalArgumentException e) {
          obstacles.add(instructionSet.title + ": " + e.getMessage());
        }
      }
      if (!obstacles.isEmpty()) return new Found(null, String.join("; ", obstacles));
      return new Found(null, isBuilt() ? "this processor has no AVX2" : "this build has none");
    }

    private static boolean isBuilt() {
      return NativeKernels.class.getResource(InstructionSet.AVX2.resource()) != null;
    }
  }

  /**
   * The kernels for an instruction set, unless this build or this processor lacks them.
   *
   * @throws IOException when the library cannot be written to the temporary folder
   * @throws IllegalArgumentException when it cannot be loaded from there
   */
  static Optional<NativeKernels> load(InstructionSet instructionSet) throws IOException {
    return load(instructionSet, instructionSet.resource());
  }

  /** As {@link #load(InstructionSet)}, from a library of its own. */
  @SuppressWarnings("restricted")
  static Optional<NativeKernels> load(InstructionSet instructionSet, String library)
      throws IOException {
    try (InputStream resource = NativeKernels.class.getResourceAsStream(library)) {
      if (resource == null) return Optional.empty();
      final Path copy = Files.createTempFile("stator-cpu-", ".so");
      try {
        Files.copy(resource, copy, StandardCopyOption.REPLACE_EXISTING);
        final SymbolLookup symbols = SymbolLookup.libraryLookup(copy, Arena.global());
        if (!isSupported(symbols)) return Optional.empty();
        return Optional.of(new NativeKernels(instructionSet, symbols));
      } finally {
        Files.delete(copy);
      }
    }
  }

  private static boolean isSupported(SymbolLookup library) {
    try {
      final var answer = FunctionDescriptor.of(ValueLayout.JAVA_INT);
      return (int) handle(library, "supported", answer).invokeExact() != 0;
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  /** For the user. */
  String title() {
    return "native " + instructionSet.title;
  }

  /** The functions of a weight type, if it has any. */
  Optional<Format> format(WeightType type) {
    return Optional.ofNullable(formats.get(type));
  }

  /** Attention to keys and values that are stored so. */
  Attend attention(KvType type) {
    return attention.get(type);
  }

  /** Bytes of a token's inputs in a form. */
  long rowBytes(Inputs.Form form, int columns) {
    try {
      return (long) rowBytes.get(form).invokeExact((long) columns);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  /**
   * Rounds the inputs of tokens {@code [first, end)} of a group of {@code tokens}, {@code columns}
   * each.
   *
   * @param group where the group begins in {@code x}, in tokens
   * @param rows address of the rounded inputs of the group
   */
  void round(
      Inputs.Form form,
      float[] x,
      int group,
      int columns,
      int first,
      int end,
      int tokens,
      long rows) {
    final MemorySegment from = MemorySegment.ofArray(x).asSlice(4L * group * columns);
    try {
      rounders
          .get(form)
          .invokeExact(
              from, (long) columns, (long) columns, (long) first, (long) end, (long) tokens, rows);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  private static MethodHandle handle(
      SymbolLookup library, String name, FunctionDescriptor descriptor) {
    return downcall(library, name, descriptor, Linker.Option.critical(true));
  }

  @SuppressWarnings("restricted")
  private static MethodHandle downcall(
      SymbolLookup library, String name, FunctionDescriptor descriptor, Linker.Option... options) {
    return Linker.nativeLinker()
        .downcallHandle(library.findOrThrow("stator_" + name), descriptor, options);
  }

  private static IllegalStateException failed(Throwable t) {
    return new IllegalStateException("a native kernel could not be called", t);
  }
}
