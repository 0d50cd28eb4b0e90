// Sums and linear combinations of padded vectors; the order of summation is fixed.
#pragma once

#include <cmath>

#include "matrix.hpp"

namespace thalweg {

inline double dot(Index length, const double* a, const double* b) {
    Vector one{}, two{};
    Index i = 0;
    for (; i + 2 * V <= length; i += 2 * V) {
        one += load(a + i) * load(b + i);
        two += load(a + i + V) * load(b + i + V);
    }
    if (i < length) one += load(a + i) * load(b + i);
    return sum(one + two);
}

inline double norm(Index length, const double* a) { return std::sqrt(dot(length, a, a)); }

// y += c x
inline void add(Index length, double c, const double* x, double* y) {
    for (Index i = 0; i < length; i += V) store(y + i, load(y + i) + c * load(x + i));
}

}  // namespace thalweg
