// The sizes of bf16.c's layouts.
#ifndef STATOR_BF16_H
#define STATOR_BF16_H

#include "lanes.h"
#include "rows.h"

INLINE long chunks(long columns) { return (columns + BLOCK - 1) / BLOCK; }

long stator_panel_bytes_bf16(long columns);

long stator_row_bytes_bf16(long columns);

#endif
