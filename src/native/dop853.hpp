// One step of the explicit method of order eight, DOP853 (E. Hairer, S. P. Norsett, G. Wanner,
// Solving Ordinary Differential Equations I, section II.10); the table is from write_dop853.py.
#pragma once

#include "field.hpp"
#include "vectors.hpp"

namespace thalweg {

#include "dop853_coefficients.inc"

class Dop853 {
public:
    static constexpr int stages = 12;
    static constexpr double length = 5.5;  // |R| < 0.2 up to there on the negative real axis

    explicit Dop853(Field& field) : field_(field) {
        cut();
        space_.allocate();
        cut();
    }

    // As Rock4::step; the error estimate is of order seven.
    double step(const double* y, const double* slope, double h, double* result,
                double* result_slope, double* error) {
        const double* f[stages] = {slope};
        for (int i = 1; i < stages; ++i) f[i] = slopes_[i - 1];
        advance<1>(y, h, f);
        const double* weights = dop853_table + stages * (stages - 1) / 2;
        combine<stages>(y, h, weights, f, result);
        const double loss = field_.rhs(result, result_slope);
        estimate(h, weights + stages, f, error);
        return loss;
    }

private:
    template <int STAGE>
    void advance(const double* y, double h, const double* const (&f)[stages]) {
        if constexpr (STAGE < stages) {
            combine<STAGE>(y, h, dop853_table + STAGE * (STAGE - 1) / 2, f, point_);
            field_.rhs(point_, slopes_[STAGE - 1]);
            advance<STAGE + 1>(y, h, f);
        }
    }

    template <int COUNT>
    void combine(const double* y, double h, const double* weights,
                 const double* const (&f)[stages], double* out) const {
        for (Index i = 0; i < field_.length(); i += V) {
            Vector total{};
#pragma GCC unroll 12
            for (int k = 0; k < COUNT; ++k) total += weights[k] * load(f[k] + i);
            store(out + i, load(y + i) + h * total);
        }
    }

    // The estimates of order five and three, e5 and e3, together: e5 |e5| / |(e5, 0.1 e3)|.
    void estimate(double h, const double* weights, const double* const (&f)[stages],
                  double* error) {
        const Index length = field_.length();
        Vector fine{}, coarse{};
        for (Index i = 0; i < length; i += V) {
            Vector five{}, three{};
#pragma GCC unroll 12
            for (int k = 0; k < stages; ++k) {
                five += weights[k] * load(f[k] + i);
                three += weights[stages + k] * load(f[k] + i);
            }
            fine += five * five;
            coarse += three * three;
            store(error + i, five);
        }
        const double square = sum(fine), both = square + 0.01 * sum(coarse);
        const double factor = both > 0 ? h * std::sqrt(square / both) : h;
        for (Index i = 0; i < length; i += V) store(error + i, factor * load(error + i));
    }

    void cut() {
        for (auto& slope : slopes_) slope = space_.take(field_.length());
        point_ = space_.take(field_.length());
    }

    Field& field_;
    double* slopes_[stages - 1] = {};
    double* point_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
