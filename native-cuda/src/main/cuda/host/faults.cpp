// What g++ calls where its checks fail (-fsanitize=alignment,bounds,integer-divide-by-zero), in place of its own library: a
// misaligned access is a fault on the device, and would be a crash or nothing here.
#include "emulator.h"

namespace {

struct SourceLocation {
  const char *file;
  uint32_t line;
  uint32_t column;
};

struct TypeMismatch {
  SourceLocation location;
  const void *type;
  uint8_t alignmentLog2;
  uint8_t kind;
};

}  // namespace

extern "C" {

[[noreturn]] void __ubsan_handle_type_mismatch_v1_abort(const TypeMismatch *what, uintptr_t address) {
  stator::fail("accesses %#zx at %s:%u, which is not aligned to %d", address, what->location.file, what->location.line,
               1 << what->alignmentLog2);
}

[[noreturn]] void __ubsan_handle_out_of_bounds_abort(const SourceLocation *where, uintptr_t index) {
  stator::fail("uses index %zd beyond its array at %s:%u", static_cast<intptr_t>(index), where->file, where->line);
}

[[noreturn]] void __ubsan_handle_divrem_overflow_abort(const SourceLocation *where, uintptr_t, uintptr_t) {
  stator::fail("divides by zero at %s:%u", where->file, where->line);
}

}  // extern "C"
