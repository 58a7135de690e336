#pragma once
#include <stdint.h>

/// Allocations of this process since it started (malloc, calloc, realloc and aligned kinds), counted by replacing glibc's
/// functions with ones that count and call on.
uint64_t allocation_counter_read(void);
