// Linear combinations of long vectors, called by Python for one block in the cache after another.
#include <cstdint>

#include "matrix.hpp"

namespace {

using namespace thalweg;

// out = sum of c[k] x[k] over COUNT vectors (none is written without `out`); the sum of squares is
// returned. `out` may be one of the vectors.
template <int COUNT>
double combine(const double* c, const double* const* x, Index begin, Index size, double* out) {
    const double* from[COUNT];
    Vector scale[COUNT];
    for (int k = 0; k < COUNT; ++k) {
        from[k] = x[k] + begin;
        scale[k] = Vector{} + c[k];
    }
    constexpr int lines = 4;
    Vector squares[lines]{};
    Index i = 0;
    for (; i + lines * V <= size; i += lines * V) {
        for (int j = 0; j < lines; ++j) {
            Vector total = scale[0] * load_loose(from[0] + i + j * V);
            for (int k = 1; k < COUNT; ++k) total += scale[k] * load_loose(from[k] + i + j * V);
            squares[j] += total * total;
            if (out != nullptr) store_loose(out + i + j * V, total);
        }
    }
    double rest = 0.0;
    for (; i < size; ++i) {
        double total = c[0] * from[0][i];
        for (int k = 1; k < COUNT; ++k) total += c[k] * from[k][i];
        rest += total * total;
        if (out != nullptr) out[i] = total;
    }
    return sum((squares[0] + squares[1]) + (squares[2] + squares[3])) + rest;
}

// As before with two sums of the same four vectors; `one` and `two` may be among the vectors.
void combine_two(const double* c, const double* d, const double* const* x, Index begin,
                 Index size, double* one, double* two) {
    constexpr int COUNT = 4;
    const double* from[COUNT];
    Vector scale[COUNT], other[COUNT];
    for (int k = 0; k < COUNT; ++k) {
        from[k] = x[k] + begin;
        scale[k] = Vector{} + c[k];
        other[k] = Vector{} + d[k];
    }
    Index i = 0;
    for (; i + V <= size; i += V) {
        Vector total{}, second{};
        for (int k = 0; k < COUNT; ++k) {
            const Vector item = load_loose(from[k] + i);
            total += scale[k] * item;
            second += other[k] * item;
        }
        store_loose(one + i, total);
        store_loose(two + i, second);
    }
    for (; i < size; ++i) {
        double total = 0.0, second = 0.0;
        for (int k = 0; k < COUNT; ++k) {
            total += c[k] * from[k][i];
            second += d[k] * from[k][i];
        }
        one[i] = total;
        two[i] = second;
    }
}

}  // namespace

extern "C" {

// Entries `begin` to `begin + size` of one to four vectors; `out` points to the first of them.
double thalweg_combine(int count, const double* c, const double* const* x, std::int64_t begin,
                       std::int64_t size, double* out) {
    switch (count) {
        case 1: return combine<1>(c, x, begin, size, out);
        case 2: return combine<2>(c, x, begin, size, out);
        case 3: return combine<3>(c, x, begin, size, out);
        default: return combine<4>(c, x, begin, size, out);
    }
}

// Two sums of four vectors each.
void thalweg_combine_two(const double* c, const double* d, const double* const* x,
                         std::int64_t begin, std::int64_t size, double* one, double* two) {
    combine_two(c, d, x, begin, size, one, two);
}
}
