#define MULTIPLY stator_multiply_q5_k
#define PANEL_BYTES stator_panel_bytes_q5_k
#define FIFTH 1

#include "q45_k.inc"
