// One step of the linearly implicit method Rodas4 (E. Hairer, G. Wanner, Solving Ordinary
// Differential Equations II, section VI.4) with the exact dense Hessian.
#pragma once

#include "cholesky.hpp"
#include "field.hpp"

namespace thalweg {

inline constexpr double rodas4_gamma = 0.25;
inline constexpr double rodas4_a[4][4] = {
    {1.544},
    {0.9466785280815826, 0.2557011698983284},
    {3.314825187068521, 2.896124015972201, 0.9986419139977817},
    {1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950}};
inline constexpr double rodas4_c[5][5] = {
    {-5.6688},
    {-2.430093356833875, -0.2063599157091915},
    {-0.1073529058151375, -9.594562251023355, -20.47028614809616},
    {7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160},
    {8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136,
     -6.058818238834054}};

class Rodas4 {
public:
    explicit Rodas4(Field& field) : field_(field), side_(padded(field.size())) {
        cut();
        space_.allocate();
        cut();
    }

    // Dense Hessian at y, column by column.
    void assemble(const double* y) {
        field_.rhs(y, slope_);
        const Index n = field_.size();
        for (Index i = 0; i < n; ++i) {
            short_[i] = 1;
            field_.unpack(short_, direction_);
            short_[i] = 0;
            field_.hessian_product(y, direction_, slope_);
            field_.pack(slope_, hessian_ + i * side_);
        }
    }
    const double* hessian() const { return hessian_; }
    Index side() const { return side_; }

    // As Rock4::step, with the Hessian that was assembled; false if I / (gamma h) + H is not
    // positive definite.
    bool step(const double* y, const double* slope, double h, double* result,
              double* result_slope, double* error, double& loss) {
        const Index n = field_.size(), length = field_.length();
        const double shift = 1.0 / (rodas4_gamma * h);
        std::memcpy(factor_, hessian_, sizeof(double) * n * side_);
        for (Index i = 0; i < n; ++i) factor_[i * side_ + i] += shift;
        if (!factorize(n, factor_, side_, inverse_)) return false;
        solve_stage(slope, 0, h, 0);
        for (int i = 1; i < 6; ++i) {
            double* point = i < 5 ? point_ : result;
            if (i < 5) {
                std::memcpy(point, y, sizeof(double) * length);
                for (int j = 0; j < i; ++j) add(length, rodas4_a[i - 1][j], stages_[j], point);
            } else {
                std::memcpy(point, point_, sizeof(double) * length);
                add(length, 1.0, stages_[4], point);
            }
            field_.rhs(point, slope_);
            solve_stage(slope_, i, h, i);
        }
        std::memcpy(error, stages_[5], sizeof(double) * length);
        add(length, 1.0, error, result);
        loss = field_.rhs(result, result_slope);
        return true;
    }

private:
    void solve_stage(const double* f, int count, double h, int stage) {
        std::memcpy(direction_, f, sizeof(double) * field_.length());
        for (int j = 0; j < count; ++j)
            add(field_.length(), rodas4_c[stage - 1][j] / h, stages_[j], direction_);
        field_.pack(direction_, short_);
        solve(field_.size(), factor_, side_, inverse_, short_);
        field_.unpack(short_, stages_[stage]);
        std::memset(short_, 0, sizeof(double) * side_);
    }
    void cut() {
        hessian_ = space_.take(side_ * side_);
        factor_ = space_.take(side_ * side_);
        inverse_ = space_.take(side_);
        short_ = space_.take(side_);
        point_ = space_.take(field_.length());
        slope_ = space_.take(field_.length());
        direction_ = space_.take(field_.length());
        for (auto& stage : stages_) stage = space_.take(field_.length());
    }

    Field& field_;
    Index side_;
    double *hessian_ = nullptr, *factor_ = nullptr, *inverse_ = nullptr, *short_ = nullptr;
    double *point_ = nullptr, *slope_ = nullptr, *direction_ = nullptr;
    double* stages_[6] = {};
    Workspace space_;
};

}  // namespace thalweg
