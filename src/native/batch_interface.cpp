// What Python calls for batches, by ctypes. Rows are packed weights, one start each.
#include <exception>

#include "lanes.hpp"

using namespace thalweg;

extern "C" {

// Version of the structures in lane_start.hpp.
int thalweg_batch_interface() { return 2; }

int thalweg_batch_lanes() { return V; }

// Returns 0, or 1 without memory; without `plateaus` none are recorded. Any number of threads may work on one queue at the same time.
int thalweg_batch_run(int depth, const std::int64_t* dims, const double* target,
                      const double* metric, const BatchLimits* limits, BatchQueue* queue,
                      const PlateauTask* plateaus, const double* first_vector,
                      const double* starts, double* ends, BatchRow* rows) {
    try {
        Lanes lanes(depth, dims, target, metric, plateaus);
        lanes.run(*limits, *queue, first_vector, starts, ends, rows);
        return 0;
    } catch (const std::exception&) {
        return 1;
    }
}

// Operations a second of multiply-adds in registers alone: the limit that benchmarks compare with.
double thalweg_batch_peak(std::int64_t repeats) {
    constexpr int chains = 12;  // more than latency times throughput, and they fit in 16 registers
    Vector sums[chains], x = broadcast(0.999999), y = broadcast(1e-3);
    for (int k = 0; k < chains; ++k) sums[k] = broadcast(k);  // equal ones would be merged
    const auto begin = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < repeats; ++i) {
#pragma GCC unroll 12
        for (int k = 0; k < chains; ++k) sums[k] = sums[k] * x + y;
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    Vector total{};
    for (const Vector& item : sums) total += item;
    const double kept = sum(total);
    return std::isfinite(kept) ? 2.0 * V * chains * double(repeats) / spent.count() : 0;
}
}
