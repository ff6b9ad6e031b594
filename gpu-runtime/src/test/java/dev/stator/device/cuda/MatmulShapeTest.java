package dev.stator.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stator.model.WeightType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class MatmulShapeTest {
  private static final int SHARED_BYTES_OF_ANY_DEVICE = 99 << 10;

  @ParameterizedTest
  @CsvSource({
    // Eight ranges, a warp each: one row tile a block, two with more tokens.
    "Q4_K, 4096, 4096,    1, matmul_q4_k_decode_8,   256,  1, 256,  4096",
    "Q4_K, 4096, 4096,    9, matmul_q4_k_decode_16,  128,  1, 256,  8192",
    "BF16, 4096, 14336,  64, matmul_bf16_decode_64,  128,  1, 256, 32768",
    // Four ranges: two row tiles a block.
    "Q6_K,  512, 1024,    8, matmul_q6_k_decode_8,    16,  1, 256,  4096",
    // Three ranges and so two of them: six warps.
    "F16,  1000, 576,    17, matmul_bf16_decode_32,   16,  1, 192, 12288",
    // One range: eight row tiles, or pairs of them.
    "Q8_0,  130, 256,     1, matmul_q8_0_decode_8,     2,  1, 256,  4096",
    "Q8_0,  130, 32,     33, matmul_q8_0_decode_64,    1,  1, 256, 32768",
    "Q8_0,  130, 64,     65, matmul_q8_0_prefill,      2,  2, 128, 81920",
    // Tall: 128 rows a block share the activations.
    "Q4_K, 28672, 4096,  32, matmul_q4_k_decode_32,  896,  1, 256, 16384",
    "Q4_K, 28672, 4096,  33, matmul_q4_k_prefill,      1, 224, 128, 81920",
    "F32,  4096, 4096, 2048, matmul_bf16_prefill,     32, 32, 128, 81920",
  })
  void shouldSuitTheNumberOfTokens(
      WeightType type,
      int rows,
      int columns,
      int tokens,
      String kernel,
      int gridX,
      int gridY,
      int threads,
      int sharedBytes) {
    assertEquals(
        new MatmulShape(kernel, gridX, gridY, threads, sharedBytes),
        MatmulShape.product(type, rows, columns, tokens));
    assertTrue(sharedBytes <= SHARED_BYTES_OF_ANY_DEVICE);
  }

  @Test
  void shouldTakeWholeTilesForWgmma() {
    assertEquals(
        new MatmulShape("matmul_q8_0_wgmma", 2, 3, 384, 230_592),
        MatmulShape.wgmma(WeightType.Q8_0, 300, 416, 257));
    assertEquals(new MatmulShape("pack_tokens", 4, 32, 256, 0), MatmulShape.pack(416, 257));
    assertEquals(2 * 4 * 256 * 128 * 2, MatmulShape.packedBytes(416, 257));
  }

  @ParameterizedTest
  @CsvSource({
    "4096, 2048, true",
    "4096,  192, false",
    "28672, 192, true",
    "28672, 191, false",
    "1280, 2048, true",
    "1024, 2048, false",
  })
  void shouldUseWgmmaWhereItsBlocksAreManyAndFull(int rows, int tokens, boolean suits) {
    assertEquals(suits, MatmulShape.suitsWgmma(rows, tokens, 132));
  }

  @Test
  void shouldKeepWeightsAsSmallAsInTheFileWhenNothingIsPadded() {
    for (WeightType type :
        new WeightType[] {WeightType.BF16, WeightType.Q8_0, WeightType.Q4_K, WeightType.Q6_K}) {
      assertEquals(
          4096 * type.byteSize(14336), MatmulShape.repackedBytes(type, 4096, 14336), type.name());
    }
    assertEquals(
        2 * 2 * 4096, MatmulShape.repackedBytes(WeightType.F32, 17, 160), "two tiles of two units");
  }

  @ParameterizedTest
  @EnumSource(WeightType.class)
  void shouldRefuseTypesWithoutKernels(WeightType type) {
    if (MatmulShape.hasKernels(type)) {
      assertEquals(2, MatmulShape.repack(type, 32, 256).gridY());
    } else {
      assertThrows(IllegalArgumentException.class, () -> MatmulShape.product(type, 16, 256, 1));
    }
    if (MatmulShape.embeds(type)) {
      assertEquals(3, MatmulShape.embed(type, 3).gridX());
    } else {
      assertThrows(IllegalArgumentException.class, () -> MatmulShape.embed(type, 1));
    }
  }

  @Test
  void shouldRefuseColumnsThatLanesCannotShare() {
    assertThrows(
        IllegalArgumentException.class, () -> MatmulShape.product(WeightType.BF16, 16, 48, 1));
    assertThrows(
        IllegalArgumentException.class,
        () -> MatmulShape.product(WeightType.BF16, 16, 1 << 16, 1 << 15));
  }
}
