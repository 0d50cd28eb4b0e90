// Spectral radius of the Hessian by the power method, started from the last vector.
#pragma once

#include <cmath>
#include <utility>

#include "field.hpp"
#include "vectors.hpp"

namespace thalweg {

// At y, from `vector`, which becomes the last one; `image` is overwritten, they may be exchanged.
// The method stays below the true value, hence the safety factor; too small an estimate shows as
// growth of the loss, which rejects the step.
inline double spectral_radius(Field& field, const double* y, double*& vector, double*& image,
                              double accuracy) {
    const Index length = field.length();
    const auto scale = [length](double* v, double c) {
        for (Index i = 0; i < length; i += V) store(v + i, c * load(v + i));
    };
    double size = norm(length, vector), radius = 0;
    if (size > 0) scale(vector, 1 / size);
    field.rhs(y, image);
    for (int count = 0; count < 60; ++count) {
        field.hessian_product(y, vector, image);
        size = norm(length, image);
        if (!std::isfinite(size) || size == 0) return 1.1 * size;
        std::swap(vector, image);
        scale(vector, 1 / size);
        const bool settled = std::fabs(size - radius) <= accuracy * size;
        radius = size;
        if (settled && count > 0) break;
    }
    return 1.1 * radius;
}

}  // namespace thalweg
