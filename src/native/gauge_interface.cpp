// What Python calls to put conserved matrices right, by ctypes.
#include <exception>

#include "gauge.hpp"

using namespace thalweg;

extern "C" {

int thalweg_gauge_interface() { return 1; }

// Repairs packed points, in place if `out` is `rows`; `found` takes for each of them the error
// before, the error after and what is good enough, `count` numbers each. Returns 0, or 1 without
// memory.
int thalweg_gauge_repair(int depth, const std::int64_t* dims, const double* conserved,
                         double enough, std::int64_t count, const double* rows,
                         double* out, double* found) {
    try {
        Gauge gauge(depth, dims, conserved, enough);
        gauge.repair(count, rows, out, found, found + count, found + 2 * count);
        return 0;
    } catch (const std::exception&) {
        return 1;
    }
}
}
