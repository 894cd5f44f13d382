#ifndef TK_WINDOWS_H
#define TK_WINDOWS_H

#include <stddef.h>
#include <stdint.h>

// Included at the end of CTocsinKernels.h, which declares tk_body.

/// How the readings of a block are coded. Reading i stands at bit i * (value_bits + time_bits) of the payload: first
/// its value, then its time, least significant bit first.
///
/// Time: start + i * step + unzigzag(bits) * unit, wrapping. Value: (base + bits) / scale, or with scale 0 the bits of
/// the double itself.
typedef struct {
    int64_t start;
    int64_t step;
    int64_t unit;
    int64_t base;
    double scale;
    /// 0...48, or 64 with scale 0.
    uint32_t value_bits;
    /// 0...64.
    uint32_t time_bits;
} tk_frame;

/// Writes times less `origin` (wrapping, ns) and values of the readings `first ..< first + count`. May read up to 8
/// bytes behind the payload.
void tk_frame_decode(
    const tk_frame *frame, const uint64_t *payload, size_t first, size_t count, int64_t origin, int64_t *times,
    double *values, tk_body body);

/// What the statistics of a window need beside its sorted values. `mean_offset` is the mean less the first value; the
/// moments are sums of powers of the deviations from the mean; times count in seconds.
typedef struct {
    double sum;
    double mean_offset;
    double second;
    double third;
    double fourth;
    /// Sum of products of neighbouring deviations.
    double lag_products;
    /// Sum of |difference| between neighbours.
    double absolute_change;
    double time_second;
    /// Sum of products of the deviations of time and value.
    double time_products;
    /// Changes from one side of the mean to the other; a value equal to it stays on the side before.
    int64_t crossings;
} tk_moments;

/// `count` is positive; times are nanoseconds from any origin. Sums run in eight fixed lanes, so that all bodies give
/// the same bits.
void tk_moments_compute(const int64_t *times, const double *values, size_t count, tk_moments *moments, tk_body body);

/// Sorts values that are all whole multiples of 1 / `scale` (below 2^47 of them) into `sorted`, by way of integers in
/// `scratch`, which holds `count` rounded up to 16 numbers. 0 and nothing done if they span 2^31 multiples or more.
int tk_sort_decimals(
    const double *values, size_t count, double scale, int32_t *scratch, double *sorted, tk_body body);

/// Sorts any values into `sorted`: -0 before +0, NaN (one of them for all) last. `scratch` holds `count` rounded up to
/// 8 numbers.
void tk_sort_doubles(const double *values, size_t count, int64_t *scratch, double *sorted, tk_body body);

/// The fastest body of these kernels that this processor can run.
tk_body tk_window_body(void);

#endif
