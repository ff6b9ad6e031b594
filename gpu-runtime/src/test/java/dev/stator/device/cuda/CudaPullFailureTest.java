package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.stator.device.BlockCopies;
import dev.stator.kv.KvLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Blocks pulled from another process's device, one of which the driver refuses to copy. */
class CudaPullFailureTest {
  private static final KvLayout LAYOUT = new KvLayout(1, 1, 8, KvLayout.KvType.F32, 16);
  private static final int BLOCKS = 4;

  private final EmulatedDriver driver = CudaTests.emulated();
  private final long source = driver.allocate(BLOCKS * LAYOUT.blockBytes());
  private int copiesLeft = Integer.MAX_VALUE;

  @AfterEach
  void close() {
    driver.close();
  }

  @Test
  void shouldCopyNothingAnyMoreWhenAPullHasFailed() {
    final long pool = driver.allocate(BLOCKS * LAYOUT.blockBytes());
    final BlockCopies copies =
        new CudaBlockCopies(watched(Driver.class, driver), pool, LAYOUT, BLOCKS, 1);
    final MemorySegment buffer = copies.take();
    final BlockCopies.PeerBlocks peer = copies.open(handle());
    copiesLeft = 1;
    assertThrows(CudaException.class, () -> peer.pull(new int[] {0, 1}, new int[] {0, 1}));
    copiesLeft = Integer.MAX_VALUE;
    copies.write(0, buffer.fill((byte) 7)); // Another's by now.
    final byte[] written = buffer.toArray(ValueLayout.JAVA_BYTE);
    peer.pull(new int[] {2}, new int[] {2});
    copies.read(0, buffer.fill((byte) 0));
    assertArrayEquals(written, buffer.toArray(ValueLayout.JAVA_BYTE));
  }

  /** As another process says it. */
  private static byte[] handle() {
    final byte[] ipc = new byte[Driver.IPC_HANDLE_BYTES];
    final long another = ~PoolHandle.own(BLOCKS, 0, ipc, LAYOUT).process();
    return new PoolHandle(BLOCKS, another, 0, ipc, LAYOUT).encode();
  }

  /** One that opens the source whatever it is asked for, and refuses copies when none are left. */
  private <T> T watched(Class<T> type, T watched) {
    final InvocationHandler calls =
        (proxy, method, arguments) -> {
          if (method.getName().equals("ipcOpen")) return source;
          if (method.getName().equals("copy") && copiesLeft-- == 0) {
            throw new CudaException("copy: refused, as told");
          }
          try {
            final Object result = method.invoke(watched, arguments);
            if (result instanceof Driver companion) return watched(Driver.class, companion);
            return result instanceof Driver.Stream stream
                ? watched(Driver.Stream.class, stream)
                : result;
          } catch (InvocationTargetException refused) {
            throw refused.getCause();
          }
        };
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, calls));
  }
}
