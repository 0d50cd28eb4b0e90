// One step of the method of dop853.hpp for V starts, each of its own length; dense output.
#pragma once

#include <utility>

#include "dop853.hpp"
#include "lane_event.hpp"
#include "lane_start.hpp"

namespace thalweg {

#include "lane_dop853_dense.inc"

class LaneDop853 {
public:
    static constexpr int stages = Dop853::stages;
    static constexpr double length = Dop853::length;

    explicit LaneDop853(LaneField& field) : field_(field) {
        cut();
        space_.allocate();
        cut();
    }

    LaneSums step(const double* y, const double* slope, Vector h, double* result,
                  double* result_slope) {
        f_[0] = slope;
        advance<1>(y, h);
        constexpr int weights = stages * (stages - 1) / 2;
        combine<false, weights, stages>(y, h, result);
        LaneSums sums{field_.rhs(result, result_slope), {}, {}, {}, {}};
        // the estimates of order five and three, e5 and e3, together: |e5|^2 / |(e5, 0.1 e3)|
        Vector fine{}, coarse{};
        for (Index i = 0; i < field_.length(); i += V) {
            const Vector five = weighted<false, weights + stages, stages>(i);
            const Vector three = weighted<false, weights + 2 * stages, stages>(i);
            const Vector x = load(result + i), f = load(result_slope + i);
            fine += five * five;
            coarse += three * three;
            sums.slope += f * f;
            sums.size += x * x;
        }
        const Vector both = fine + 0.01 * coarse;
        const Vector share = select(both > Vector{}, fine / both, broadcast(1.0));
        sums.error = h * h * fine * share;
        sums.coarse = h * h * coarse;
        return sums;
    }

    // Prepare dense output of order seven in the step taken last; three right-hand sides.
    void densify(LaneSpan& span) {
        const double *y = span.y, *slope = span.slope, *end = span.next_slope;
        const Vector h = span.h;
        f_[12] = end;
        extra<13, 0>(y, h);
        extra<14, 13>(y, h);
        extra<15, 27>(y, h);
        for (Index i = 0; i < field_.length(); i += V) {
            const Vector change = load(span.next + i) - load(y + i);
            store(dense_[0] + i, change);
            store(dense_[1] + i, h * load(slope + i) - change);
            store(dense_[2] + i, 2 * change - h * (load(end + i) + load(slope + i)));
            store(dense_[3] + i, h * weighted<true, 42, 16>(i));
            store(dense_[4] + i, h * weighted<true, 58, 16>(i));
            store(dense_[5] + i, h * weighted<true, 74, 16>(i));
            store(dense_[6] + i, h * weighted<true, 90, 16>(i));
        }
        span.dense = dense_;
    }

private:
    template <int STAGE>
    void advance(const double* y, Vector h) {
        if constexpr (STAGE < stages) {
            combine<false, STAGE*(STAGE - 1) / 2, STAGE>(y, h, point_);
            field_.rhs(point_, slopes_[STAGE - 1]);
            f_[STAGE] = slopes_[STAGE - 1];
            advance<STAGE + 1>(y, h);
        }
    }
    template <int STAGE, int FIRST>
    void extra(const double* y, Vector h) {
        combine<true, FIRST, STAGE>(y, h, point_);
        field_.rhs(point_, slopes_[STAGE - 2]);
        f_[STAGE] = slopes_[STAGE - 2];
    }

    // Sum of table[FIRST + k] f_k at position i; many weights are zero.
    template <bool DENSE, int FIRST, int COUNT>
    [[gnu::always_inline]] Vector weighted(Index i) const {
        constexpr const double* table = DENSE ? dop853_dense : dop853_table;
        Vector total{};
        [&]<int... K>(std::integer_sequence<int, K...>) {
            (
                [&] {
                    if constexpr (table[FIRST + K] != 0)
                        total += table[FIRST + K] * load(f_[K] + i);
                }(),
                ...);
        }(std::make_integer_sequence<int, COUNT>{});
        return total;
    }
    template <bool DENSE, int FIRST, int COUNT>
    void combine(const double* y, Vector h, double* out) const {
        for (Index i = 0; i < field_.length(); i += V)
            store(out + i, load(y + i) + h * weighted<DENSE, FIRST, COUNT>(i));
    }

    void cut() {
        for (auto& slope : slopes_) slope = space_.take(field_.length());
        for (auto& item : dense_) item = space_.take(field_.length());
        point_ = space_.take(field_.length());
    }

    LaneField& field_;
    const double* f_[16] = {};
    double *slopes_[14] = {}, *dense_[7] = {}, *point_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
