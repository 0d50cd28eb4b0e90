// The methods of a field, made when they are first needed, and single evaluations of it.
#pragma once

#include <chrono>
#include <memory>

#include "bdf.hpp"
#include "closing.hpp"
#include "dop853.hpp"
#include "rock4.hpp"
#include "rodas4.hpp"

namespace thalweg {

class Steppers {
public:
    Steppers(int depth, const std::int64_t* dims, const double* target, const double* metric)
        : field_(depth, dims, target, metric), rock4_(field_) {
        for (int pass = 0; pass < 2; ++pass) {
            if (pass) space_.allocate();
            for (auto** array : arrays()) *array = space_.take(field_.length());
            past_.cut(space_, field_.length());
        }
    }

    double rhs(const double* y, double* slope) {
        field_.unpack(y, trial_);
        const double loss = field_.rhs(trial_, trial_slope_);
        field_.pack(trial_slope_, slope);
        return loss;
    }
    void hessian_product(const double* y, const double* v, double* image) {
        field_.unpack(y, trial_);
        field_.unpack(v, error_);
        field_.rhs(trial_, trial_slope_);
        field_.hessian_product(trial_, error_, trial_slope_);
        field_.pack(trial_slope_, image);
    }
    void hessian(const double* y, double* out) {
        field_.unpack(y, trial_);
        implicit().assemble(trial_);
        const Index n = field_.size();
        for (Index i = 0; i < n; ++i)
            std::memcpy(out + i * n, rodas4_->hessian() + i * rodas4_->side(), sizeof(double) * n);
    }
    // Loss after one step of order eight from y; the new point goes to `out`.
    double advance(const double* y, double h, double* out, double& gradient_norm) {
        field_.unpack(y, y_);
        field_.rhs(y_, slope_);
        const double loss = high().step(y_, slope_, h, trial_, trial_slope_, error_);
        field_.pack(trial_, out);
        gradient_norm = norm(field_.length(), trial_slope_);
        return loss;
    }
    // Gauss-Newton from y; where it comes to goes to `out`. Returns |M| there, see Closing::run.
    double close(const double* y, double* out) {
        field_.unpack(y, trial_);
        const double rest = Closing(field_).run(trial_);
        return field_.pack(trial_, out), rest;
    }
    double time_rhs(const double* y, std::int64_t repeats) {
        field_.unpack(y, trial_);
        const auto begin = std::chrono::steady_clock::now();
        for (std::int64_t i = 0; i < repeats; ++i) field_.rhs(trial_, trial_slope_);
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
        return spent.count() / static_cast<double>(repeats);
    }

protected:
    Dop853& high() {
        return *(dop853_ ? dop853_ : dop853_ = std::make_unique<Dop853>(field_));
    }
    Bdf& multistep() {
        return *(bdf_ ? bdf_ : bdf_ = std::make_unique<Bdf>(field_, past_));
    }
    Rodas4& implicit() {
        return *(rodas4_ ? rodas4_ : rodas4_ = std::make_unique<Rodas4>(field_));
    }
    std::vector<double**> arrays() {
        return {&y_, &slope_, &vector_, &trial_, &trial_slope_, &error_};
    }

    Field field_;
    Rock4 rock4_;
    std::unique_ptr<Rodas4> rodas4_;
    std::unique_ptr<Dop853> dop853_;
    std::unique_ptr<Bdf> bdf_;
    Past past_;
    double *y_ = nullptr, *slope_ = nullptr, *vector_ = nullptr;
    double *trial_ = nullptr, *trial_slope_ = nullptr, *error_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
