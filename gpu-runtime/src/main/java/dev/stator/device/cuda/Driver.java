package dev.stator.device.cuda;

import java.lang.foreign.MemorySegment;

/**
 * One CUDA device as the engine uses it: memory, streams, kernels, graphs. Addresses of device
 * memory are plain numbers that the CPU must not follow.
 *
 * <p><b>Threads:</b> one at a time, at first the one that made it, see {@link #attach}; a stream's
 * work runs beside that thread, in the stream's order.
 *
 * <p><b>Ownership:</b> what it gave is freed by {@link #close} at the latest.
 *
 * <p>All methods throw {@link CudaException} when the device refuses.
 */
interface Driver extends AutoCloseable {
  /** For the user, such as {@code NVIDIA H200, compute capability 9.0}. */
  String title();

  /** Major and minor number together: 80, 89, 90. */
  int computeCapability();

  int multiprocessorCount();

  /** Shared memory that a block of threads may ask for, in bytes. */
  int sharedBytesMax();

  /** All device memory. */
  long totalBytes();

  /** Device memory that nobody has taken. */
  long freeBytes();

  /**
   * Device memory; contents undefined, aligned to 256 bytes.
   *
   * @throws OutOfMemoryError when there is none
   */
  long allocate(long bytes);

  void free(long address);

  /**
   * Page-locked host memory, which streams copy from and to beside the CPU; contents undefined.
   *
   * @throws OutOfMemoryError when there is none
   */
  MemorySegment allocateHost(long bytes);

  void freeHost(MemorySegment memory);

  Stream newStream();

  /**
   * The kernel of that name.
   *
   * @throws CudaException when the module has none
   */
  Kernel kernel(String name);

  /**
   * From now on the calling thread is the one that uses this driver and what it gave; the one
   * before has finished.
   */
  void attach();

  /**
   * Another driver of the same device, for one more thread beside this one's: with streams of its
   * own, which may name all memory and kernels of this one. The calling thread stays attached to
   * this one.
   *
   * <p><b>Ownership:</b> closed with this one at the latest.
   */
  Driver companion();

  /**
   * Lets {@link Stream#copyToPeer} go straight from this device's memory to {@code peer}'s, where
   * the machine can. Elsewhere such copies pass through the host's memory: slower, the same bytes.
   *
   * @param peer of this process; needs not be attached
   * @return whether they go straight
   */
  boolean reach(Driver peer);

  /** Bytes of an {@link #ipcHandle}. */
  int IPC_HANDLE_BYTES = 64;

  /**
   * The allocation that an address lies in.
   *
   * @param start its first address
   */
  record Allocation(long start, long bytes) {}

  /**
   * As {@link Allocation} says, also of what {@link #ipcOpen} opened.
   *
   * @throws CudaException also where the driver cannot share memory between processes
   */
  Allocation allocationOf(long address);

  /**
   * Names the allocation that an address lies in to other processes of this host, until it is
   * freed.
   *
   * @return {@link #IPC_HANDLE_BYTES}
   * @throws CudaException also where the driver cannot share memory between processes
   */
  byte[] ipcHandle(long address);

  /**
   * Opens another process's allocation, which {@link Stream#copy} may read from then on, also when
   * it lies on another device.
   *
   * @param handle of {@link #IPC_HANDLE_BYTES}
   * @return where it begins here
   * @throws CudaException also when it is this process's own, is gone, or lies on a device that
   *     this one does not reach
   */
  long ipcOpen(byte[] handle);

  /** Closes what {@link #ipcOpen} gave. */
  void ipcClose(long start);

  /** By any thread, when nobody uses it or a companion any more. */
  @Override
  void close();

  /** A function of the loaded module. */
  interface Kernel {
    String name();
  }

  /** Something that a stream has come by. */
  interface Event extends AutoCloseable {
    /** Waits until its last mark has been come by; returns at once when there is none. */
    void synchronize();

    @Override
    void close();
  }

  /** Recorded work, to be launched as a whole any number of times, with the same parameters. */
  interface Graph extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Work in order. All but {@link #synchronize} and {@link #close} return at once, copies from and
   * to memory that is not page-locked perhaps later.
   */
  interface Stream extends AutoCloseable {
    /**
     * @param from off the heap; must stay as it is until the copy is done
     */
    void copyToDevice(long to, MemorySegment from);

    /**
     * @param to off the heap; must live until the copy is done
     */
    void copyToHost(MemorySegment to, long from);

    void copy(long to, long from, long bytes);

    /**
     * @param to in {@code peer}'s memory, which must live until the copy is done
     */
    void copyToPeer(Driver peer, long to, long from, long bytes);

    /**
     * Copies rows that lie apart, each {@code width} bytes.
     *
     * @param to as for {@link #copyToHost}, the first row's
     * @param toPitch bytes from one row to the next
     * @param fromPitch likewise
     */
    void copyRowsToHost(
        MemorySegment to, long toPitch, long from, long fromPitch, long width, int rows);

    /**
     * The way back.
     *
     * @param from as for {@link #copyToDevice}, the first row's
     */
    void copyRowsToDevice(
        long to, long toPitch, MemorySegment from, long fromPitch, long width, int rows);

    void fill(long to, byte value, long bytes);

    /**
     * @param params the kernel's one parameter, a struct; read before this returns
     * @param threads of a block
     * @param sharedBytes dynamic shared memory of a block
     */
    void launch(
        Kernel kernel, int gridX, int gridY, int threads, int sharedBytes, MemorySegment params);

    /** Marks this point of the stream. */
    void record(Event event);

    /**
     * What follows waits until {@code event}'s last mark so far has been come by.
     *
     * @param event may be of another driver, on any device
     */
    void await(Event event);

    Event newEvent();

    /**
     * Records what {@code work} gives to this stream, in place of doing it. Memory that it names
     * must live as long as the graph; host memory must be page-locked. Inside, nothing is allocated
     * or freed, and events do not connect to what is outside.
     */
    Graph capture(Runnable work);

    void launch(Graph graph);

    /** Waits for all work; an error of any of it is thrown here at the latest. */
    void synchronize();

    /** Waits for all work. */
    @Override
    void close();
  }
}
