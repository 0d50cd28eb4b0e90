// The last accepted points of a run.
#pragma once

#include <algorithm>

#include "field.hpp"

namespace thalweg {

// Last accepted points, newest first.
class Past {
public:
    static constexpr int most = 7;

    void cut(Workspace& space, Index length) {
        for (double*& point : points_) point = space.take(length);
    }
    void push(double t, const double* y, Index length) {
        double* oldest = points_[most - 1];
        for (int i = most - 1; i > 0; --i) points_[i] = points_[i - 1], times_[i] = times_[i - 1];
        std::memcpy(oldest, y, sizeof(double) * length);
        points_[0] = oldest;
        times_[0] = t;
        count_ = std::min(count_ + 1, most);
    }
    void clear() { count_ = 0; }
    int count() const { return count_; }
    double time(int i) const { return times_[i]; }
    const double* point(int i) const { return points_[i]; }

    // To and from `memory`: count, times, then points without padding.
    static Index room(Index size) { return 1 + most + most * size; }
    void save(const Field& field, double* memory) const {
        memory[0] = count_;
        for (int i = 0; i < count_; ++i) {
            memory[1 + i] = times_[i];
            field.pack(points_[i], memory + 1 + most + i * field.size());
        }
    }
    void restore(const Field& field, const double* memory) {
        count_ = static_cast<int>(memory[0]);
        for (int i = 0; i < count_; ++i) {
            times_[i] = memory[1 + i];
            field.unpack(memory + 1 + most + i * field.size(), points_[i]);
        }
    }

    using Weights = double[most];

    // Weights of the points first.. of the polynomial of degree k through k + 1 of them, at t.
    void extrapolate(Weights& w, int k, double t, int first) const {
        for (int j = 0; j <= k; ++j) {
            w[j] = 1;
            const double tj = time(first + j);
            for (int m = 0; m <= k; ++m)
                if (m != j) w[j] *= (t - time(first + m)) / (tj - time(first + m));
        }
    }
    // Slope at t of the polynomial through the new point and k past ones: shift times the new
    // point plus the weighted past ones.
    double differentiate(Weights& w, int k, double t) const {
        double shift = 0;
        for (int j = 0; j < k; ++j) {
            const double tj = time(j);
            w[j] = 1 / (tj - t);
            for (int m = 0; m < k; ++m)
                if (m != j) w[j] *= (t - time(m)) / (tj - time(m));
            shift += 1 / (t - tj);
        }
        return shift;
    }

private:
    int count_ = 0;
    double times_[most] = {};
    double* points_[most] = {};
};

}  // namespace thalweg
