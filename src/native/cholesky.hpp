// Cholesky factor A = U^T U of a symmetric matrix with padded rows, and solutions with it.
#pragma once

#include <algorithm>
#include <cmath>

#include "vectors.hpp"

namespace thalweg {

// Overwrites the upper triangle of `a`; the diagonal becomes zero and its inverse goes to
// `inverse`, so that a row can be used in whole registers. False if not positive definite.
inline bool factorize(Index n, double* a, Index lda, double* inverse) {
    constexpr Index side = 32;
    for (Index k = 0; k < n; k += side) {
        const Index end = std::min(k + side, n);
        for (Index i = k; i < end; ++i) {
            double* row = a + i * lda;
            const Index begin = i / V * V;
            for (Index p = k; p < i; ++p)
                add(lda - begin, -a[p * lda + i], a + p * lda + begin, row + begin);
            const double pivot = row[i];
            if (!(pivot > 0) || !std::isfinite(pivot)) return false;
            inverse[i] = 1.0 / std::sqrt(pivot);
            for (Index j = begin; j < i; ++j) row[j] = 0;
            for (Index j = begin; j < lda; j += V) store(row + j, inverse[i] * load(row + j));
            row[i] = 0;
        }
        for (Index i = end; i < n; i += side)
            multiply_left_transposed<Mode::subtract>(
                std::min(side, n - i), n - i, end - k, a + k * lda + i, lda, a + k * lda + i, lda,
                a + i * lda + i, lda);
    }
    return true;
}

// x <- A^{-1} x; the padding of x is zero.
inline void solve(Index n, const double* u, Index ldu, const double* inverse, double* x) {
    for (Index i = 0; i < n; ++i) {
        const Index begin = i / V * V;
        x[i] *= inverse[i];
        add(ldu - begin, -x[i], u + i * ldu + begin, x + begin);
    }
    for (Index i = n - 1; i >= 0; --i) {
        const Index begin = i / V * V;
        x[i] = inverse[i] * (x[i] - dot(ldu - begin, u + i * ldu + begin, x + begin));
    }
}

}  // namespace thalweg
