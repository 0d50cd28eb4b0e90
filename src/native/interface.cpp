// What Python calls, by ctypes. Arrays are packed row by row, without padding.
#include <exception>
#include <memory>

#include "driver.hpp"

using namespace thalweg;

extern "C" {

// Best instruction set of this processor: 0 generic, 1 AVX2, 2 AVX-512.
int thalweg_cpu_level() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl");
    return avx2 ? (avx512 ? 2 : 1) : 0;
#else
    return 0;
#endif
}

// Version of the structures below; Python refuses a library with another one.
int thalweg_interface() { return 7; }

void* thalweg_open(int depth, const std::int64_t* dims, const double* target,
                   const double* metric) {
    try {
        return new Driver(depth, dims, target, metric);
    } catch (const std::exception&) {
        return nullptr;
    }
}

void thalweg_close(void* driver) { delete static_cast<Driver*>(driver); }

// `carried`: weights, slope, vector of the power method, memory. The first slice of a run computes
// the slope and writes the start as a row, too. With `tail`, the predicted limit
// goes to `landing`.
int thalweg_run(void* driver, State* state, const Limits* limits, double* carried, Row* rows,
                double* points, Tail* tail, double* landing) {
    try {
        return static_cast<Driver*>(driver)->run(*state, *limits, carried, rows, points, tail,
                                                 landing);
    } catch (const std::exception&) {
        return out_of_memory;
    }
}

// Doubles of `memory`, all zero at the beginning of a run.
std::int64_t thalweg_memory(void* driver) { return static_cast<Driver*>(driver)->memory(); }

double thalweg_rhs(void* driver, const double* y, double* slope) {
    return static_cast<Driver*>(driver)->rhs(y, slope);
}

void thalweg_hessian_product(void* driver, const double* y, const double* v, double* image) {
    static_cast<Driver*>(driver)->hessian_product(y, v, image);
}

int thalweg_hessian(void* driver, const double* y, double* out) {
    try {
        static_cast<Driver*>(driver)->hessian(y, out);
        return 0;
    } catch (const std::exception&) {
        return out_of_memory;
    }
}

// Loss after one step of order eight; the point and the norm of its gradient are written.
double thalweg_advance(void* driver, const double* y, double h, double* out, double* norm) {
    try {
        return static_cast<Driver*>(driver)->advance(y, h, out, *norm);
    } catch (const std::exception&) {
        return std::numeric_limits<double>::quiet_NaN();
    }
}

// Rest of M, in multiples of its rounding, after Gauss-Newton steps onto {P D = T}; NaN: singular.
double thalweg_close_tail(void* driver, const double* y, double* out) {
    try {
        return static_cast<Driver*>(driver)->close(y, out);
    } catch (const std::exception&) {
        return std::numeric_limits<double>::quiet_NaN();
    }
}

// Seconds of one right-hand side, for benchmarks.
double thalweg_time_rhs(void* driver, const double* y, std::int64_t repeats) {
    return static_cast<Driver*>(driver)->time_rhs(y, repeats);
}
}
