#define MULTIPLY stator_multiply_q4_k
#define PANEL_BYTES stator_panel_bytes_q4_k
#define FIFTH 0

#include "q45_k.inc"
