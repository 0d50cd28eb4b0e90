// Starts of a batch: where they come from, what is known of each, and how they are prepared.
#pragma once

#include <atomic>

#include "lane_field.hpp"

namespace thalweg {

struct BatchLimits {
    double t_end, loss_stop, gradient_stop, basin_level;
    double rtol, finest, grown;  // tolerance is max(rtol, finest) times the size of the start
    double rest;                 // size of a gradient that may be rounding, or 0: as in lane_rest.hpp
    std::int64_t max_steps;
};

// What Python gets for every start.
struct BatchRow {
    double t, loss, gradient_norm, basin_time, drift, repaired, least_gradient;
    std::int64_t status, steps, rejected, stages, basin_steps, basin_stages, passages;
};

// Shared by all threads that work on a batch. Which thread takes a start changes nothing but time.
struct BatchQueue {
    std::int64_t count, next, done, stop;
    std::int64_t useful, spent;  // stages of single lanes that were needed, and that were computed

    std::int64_t take() { return std::atomic_ref(next).fetch_add(V); }
    void finished(std::int64_t starts) { std::atomic_ref(done).fetch_add(starts); }
    bool stopped() { return std::atomic_ref(stop).load(std::memory_order_relaxed) != 0; }
    void account(std::int64_t needed, std::int64_t computed) {
        std::atomic_ref(useful).fetch_add(needed);
        std::atomic_ref(spent).fetch_add(computed);
    }
};

// V starts side by side. Counts are kept as doubles.
struct LaneState {
    double *y, *slope, *vector;
    Vector t{}, h{}, loss{}, slope_norm{}, size{}, tolerance{};
    Vector memory{};            // error of the last step to the power 1/16
    Vector radius{}, path{};    // spectral radius, and how far the lane has come since
    Vector ceiling{}, quiet{};  // limits of step times radius, see controller.hpp
    Vector basin_time{}, steps{}, rejected{}, stages{}, held{};
    Vector restless{};  // the last estimate of the radius has not settled
    Vector basin_steps{}, basin_stages{}, least{};  // least gradient before the basin
    Vector label{}, entered{}, closest{}, passages{};  // see lane_plateau.hpp

    template <typename Apply>
    static void each(LaneState& a, LaneState& b, Apply apply) {
        for (auto item : {&LaneState::t, &LaneState::h, &LaneState::loss, &LaneState::slope_norm,
                          &LaneState::size, &LaneState::tolerance, &LaneState::memory,
                          &LaneState::radius, &LaneState::path, &LaneState::ceiling,
                          &LaneState::quiet, &LaneState::basin_time, &LaneState::steps,
                          &LaneState::rejected, &LaneState::stages, &LaneState::held,
                          &LaneState::restless, &LaneState::basin_steps,
                          &LaneState::basin_stages, &LaneState::least, &LaneState::label,
                          &LaneState::entered, &LaneState::closest, &LaneState::passages})
            apply(a.*item, b.*item);
    }
    // Lane k becomes lane `from` of another state.
    void copy(int k, LaneState& other, int from, Index length) {
        each(*this, other, [=](Vector& to, Vector& value) { to[k] = value[from]; });
        for (Index i = 0; i < length; i += V) {
            y[i + k] = other.y[i + from];
            slope[i + k] = other.slope[i + from];
            vector[i + k] = other.vector[i + from];
        }
    }
};

inline Vector square_sum(Index length, const double* a) {
    Vector out{};
    for (Index i = 0; i < length; i += V) out += load(a + i) * load(a + i);
    return out;
}

// Lane k of the arrays becomes row k; lanes without a row repeat the last one.
inline void load_rows(Index size, const double* rows, std::int64_t count, double* y) {
    for (int k = 0; k < V; ++k) {
        const double* row = rows + std::min<std::int64_t>(k, count - 1) * size;
        for (Index i = 0; i < size; ++i) y[i * V + k] = row[i];
    }
}
inline void store_row(Index size, const double* y, int k, double* row) {
    for (Index i = 0; i < size; ++i) row[i] = y[i * V + k];
}

// Loss, slope, spectral radius by the power method, first step: as the single run begins.
inline void prepare(LaneField& field, const BatchLimits& limits, const double* first_vector,
                    LaneState& s, double* image) {
    const Index length = field.length(), size = field.size();
    s.loss = field.rhs(s.y, s.slope);
    s.slope_norm = root(square_sum(length, s.slope));
    s.size = root(square_sum(length, s.y));
    const Vector typical = s.size / std::sqrt(double(size));
    s.tolerance = std::max(limits.rtol, limits.finest) *
                  select(typical > Vector{}, typical, broadcast(1e-3));
    s.tolerance = larger(s.tolerance, limits.finest *
                                          larger(typical, broadcast(std::min(limits.grown, 1.0))));
    for (Index i = 0; i < size; ++i) store(s.vector + i * V, broadcast(first_vector[i]));
    Vector radius{}, scale = 1 / root(square_sum(length, s.vector));
    for (Index i = 0; i < length; i += V) store(s.vector + i, scale * load(s.vector + i));
    Mask busy = Vector{} == Vector{};
    for (int count = 0; count < 60 && any(busy); ++count) {
        field.hessian_product(s.y, s.vector, image);
        const Vector now = root(square_sum(length, image));
        busy &= finite(now) & (now > Vector{});
        const Vector inverse = 1 / now;
        for (Index i = 0; i < length; i += V)
            store(s.vector + i, select(busy, inverse * load(image + i), load(s.vector + i)));
        const Vector change = now - radius;
        radius = select(busy, now, radius);
        if (count > 0) busy &= larger(change, -change) > 0.02 * now;
    }
    s.radius = 1.1 * radius;
    const Vector by_size = 0.01 * s.size / s.slope_norm, by_rate = 1 / s.radius;
    s.h = select(by_size > Vector{}, smaller(by_size, by_rate), by_rate);
    s.h = select(finite(s.h) & (s.h > Vector{}), s.h, broadcast(1.0));
    s.ceiling = broadcast(HUGE_VAL);
    s.quiet = broadcast(4.0);
    s.memory = broadcast(1.0);
    s.t = s.path = s.steps = s.rejected = s.stages = s.held = Vector{};
    s.restless = broadcast(1.0);
    const Mask inside = s.loss < limits.basin_level;
    s.basin_time = select(inside, Vector{}, broadcast(NAN));
    s.basin_steps = s.basin_stages = select(inside, Vector{}, broadcast(-1.0));
    s.least = s.slope_norm;
}

}  // namespace thalweg
