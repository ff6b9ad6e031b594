// Stacks and the way from one to another.
#include "emulator.h"

#ifndef STATOR_USES_UCONTEXT
// stator_switch(save, load): leaves the callee-saved registers on the stack, the stack pointer in *save; goes on at load.
// Jumping, not returning, keeps the processor's stack of return addresses out of it.
asm(R"(
  .text
  .p2align 4
  .hidden stator_switch
  .globl stator_switch
  .type stator_switch, @function
stator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmpq *%rcx
  .size stator_switch, .-stator_switch
)");
#endif

namespace stator {

// Below a stack, where nothing writes unless the stack has grown too far; memory fresh from the system is zeros.
constexpr size_t STACK_END_BYTES = 64;

void prepare_fiber(Fiber *fiber, void (*start)()) {
  const uintptr_t top = (reinterpret_cast<uintptr_t>(fiber) - 64) & ~static_cast<uintptr_t>(63);
#ifdef STATOR_USES_UCONTEXT
  getcontext(&fiber->context);
  const uintptr_t base = top & ~(STACK_BYTES - 1);
  fiber->context.uc_stack.ss_sp = reinterpret_cast<void *>(base + STACK_END_BYTES);
  fiber->context.uc_stack.ss_size = top - base - STACK_END_BYTES;
  fiber->context.uc_link = nullptr;
  makecontext(&fiber->context, start, 0);
#else
  uintptr_t *frame = reinterpret_cast<uintptr_t *>(top) - 8;
  for (int i = 0; i < 6; i++) frame[i] = 0;  // Callee-saved registers.
  frame[6] = reinterpret_cast<uintptr_t>(start);
  frame[7] = 0;  // No return address.
  fiber->stack = frame;
#endif
}

bool has_overflown(const uint8_t *stack) {
  for (size_t i = 0; i < STACK_END_BYTES; i++) {
    if (stack[i] != 0) return true;
  }
  return false;
}

}  // namespace stator
