package dev.stator.protocol;

/**
 * Names one life of an engine slot. A slot whose engine is started again gets a new id, so nothing
 * that was said about the old one can be taken for the new one.
 *
 * @param slot the slot's name, stable over restarts; what an operator knows
 * @param incarnation differs for each start of the slot
 */
public record WorkerId(String slot, long incarnation) {
  public WorkerId {
    if (slot.isEmpty()) throw new IllegalArgumentException("a slot's name must not be empty");
  }

  @Override
  public String toString() {
    return slot + "~" + incarnation;
  }
}
