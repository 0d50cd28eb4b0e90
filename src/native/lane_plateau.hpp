// Slow passages near saddles, as limit/_plateaus.py finds them, while V starts go by.
//
// A map is near the saddles of the learned set S when it is closer to T_S than some part of the
// smallest singular value that would have to change. The set is kept as a number whose bit i says
// that direction i is learned, -1 means far from all saddles.
#pragma once

#include <vector>

#include "lane_event.hpp"
#include "lane_start.hpp"

namespace thalweg {

struct PlateauEvent {
    std::int64_t learned;
    double t_enter, t_exit, closest;
};

// From Python: the singular value decomposition T = left^T diag(sigma) right, and where to write.
struct PlateauTask {
    std::int64_t room, modes, rank;
    double closeness;
    const double *sigma, *left, *right;  // left is d_y x d_y, right is modes x k
    PlateauEvent* events;                // `room` for each start
};

class LanePlateaus {
public:
    LanePlateaus(LaneField& field, const PlateauTask* task) : field_(field), task_(task) {
        if (!task_) return;
        rows_ = field.dim(field.depth()), cols_ = field.dim(0);
        for (Index i = 0; i < rows_ * rows_; ++i)
            turned_ |= task_->left[i] != (i % (rows_ + 1) == 0 ? 1.0 : 0.0);
        cut();
        space_.allocate();
        cut();
    }

    bool on() const { return task_ != nullptr; }

    // Where the starts are before their first step; the last `rhs` was at their points.
    void begin(LaneState& s) {
        const Place place = find(field_.product(s.y));
        s.label = place.label;
        s.closest = place.distance;
        s.entered = s.passages = Vector{};
    }

    // Note what changed in accepted steps; the last `rhs` was at their ends.
    void follow(LaneState& s, Mask good, const LaneSpan& span, const std::int64_t* index) {
        const Place place = find(field_.product(span.next));
        const Mask changed = good & (place.label != s.label);
        s.closest = select(good & ~changed, smaller(s.closest, place.distance), s.closest);
        if (!any(changed)) return;
        const auto when = [&](Vector label, Mask due) {
            const Vector part = passing(due, [&](Vector x) {
                span.at(field_.length(), x, point_);
                return outside(field_.multiplied(point_), label);
            });
            return s.t + part * span.h;
        };
        const Mask leaves = changed & (s.label >= 0.0), enters = changed & (place.label >= 0.0);
        if (any(leaves)) {
            const Vector t = when(s.label, leaves);
            for (int k = 0; k < V; ++k)
                if (leaves[k]) close(s, k, index[k], t[k]);
        }
        if (any(enters)) s.entered = select(enters, when(place.label, enters), s.entered);
        s.label = select(changed, place.label, s.label);
        s.closest = select(changed, place.distance, s.closest);
    }

    // The start in lane k is over.
    void end(LaneState& s, int k, std::int64_t index) const {
        if (on() && s.label[k] >= 0) close(s, k, index, s.t[k]);
    }

private:
    struct Place {
        Vector label, distance;  // relative distance
    };

    void close(LaneState& s, int k, std::int64_t index, double t) const {
        const std::int64_t count = std::int64_t(s.passages[k]);
        s.passages[k] += 1;
        if (count < task_->room)
            task_->events[index * task_->room + count] = {std::int64_t(s.label[k]), s.entered[k], t,
                                                          s.closest[k]};
    }

    Place find(const double* product) {
        turn(product);
        Vector label{};
        for (Index i = 0; i < task_->modes; ++i) {
            const Mask yes = strength(i) > 0.5;
            store(learned_ + i * V, select(yes, broadcast(1.0), Vector{}));
            label += select(yes, broadcast(double(std::int64_t(1) << i)), Vector{});
        }
        const double goal = double((std::int64_t(1) << task_->rank) - 1);
        const Vector far = broadcast(HUGE_VAL), ratio = root(square_distance()) / scale();
        const Vector distance = select(label == goal, far, ratio);
        return {select(distance <= task_->closeness, label, broadcast(-1.0)), distance};
    }

    // Positive where a map is not near the saddles of `label`; about linear in time near zero.
    Vector outside(const double* product, Vector label) {
        turn(product);
        Vector worst = broadcast(-HUGE_VAL);
        for (Index i = 0; i < task_->modes; ++i) {
            Vector learned{};
            for (int k = 0; k < V; ++k)
                learned[k] = label[k] >= 0 && (std::int64_t(label[k]) >> i & 1) ? 1.0 : 0.0;
            store(learned_ + i * V, learned);
            const Vector over = strength(i) - 0.5;
            worst = larger(worst, select(learned > 0.5, -over, over));
        }
        const Vector limit = task_->closeness * scale();
        Vector ratio = square_distance() / (limit * limit);
        for (int k = 0; k < V; ++k) ratio[k] = 0.5 * std::log(std::max(ratio[k], 1e-300));
        return larger(worst, ratio);
    }

    // left P D
    void turn(const double* product) {
        const std::vector<double>& metric = field_.metric();
        for (Index j = 0; j < cols_; ++j)
            for (Index i = 0; i < rows_; ++i) {
                Vector sum{};
                if (!turned_) sum = load(product + (i * cols_ + j) * V);
                else
                    for (Index m = 0; m < rows_; ++m)
                        sum += task_->left[i * rows_ + m] * load(product + (m * cols_ + j) * V);
                store(map_ + (i * cols_ + j) * V, metric[j] * sum);
            }
    }
    Vector strength(Index i) const {
        const double sigma = task_->sigma[i];
        if (!(sigma > 0)) return Vector{};
        Vector sum{};
        for (Index j = 0; j < cols_; ++j)
            sum += task_->right[i * cols_ + j] * load(map_ + (i * cols_ + j) * V);
        return sum / sigma;
    }
    Vector square_distance() const {
        Vector square{};
        for (Index i = 0; i < rows_; ++i) {
            const bool mode = i < task_->modes;
            const Vector size = mode ? task_->sigma[i] * load(learned_ + i * V) : Vector{};
            for (Index j = 0; j < cols_; ++j) {
                Vector x = load(map_ + (i * cols_ + j) * V);
                if (mode) x -= size * task_->right[i * cols_ + j];
                square += x * x;
            }
        }
        return square;
    }
    // The largest singular value not learned, or the smallest learned one if that is less.
    Vector scale() const {
        const double top = task_->modes > 0 ? task_->sigma[0] : 0.0;
        Vector rest{}, least = broadcast(HUGE_VAL);
        for (Index i = task_->modes - 1; i >= 0; --i) {
            const Mask learned = load(learned_ + i * V) > 0.5;
            const Vector sigma = broadcast(task_->sigma[i]);
            rest = select(learned, rest, sigma);
            least = select(learned, smaller(least, sigma), least);
        }
        return smaller(select(rest > Vector{}, rest, broadcast(top)), least);
    }
    void cut() {
        map_ = space_.take(rows_ * cols_ * V);
        learned_ = space_.take(task_->modes * V);
        point_ = space_.take(field_.length());
    }

    LaneField& field_;
    const PlateauTask* task_;
    bool turned_ = false;
    Index rows_ = 0, cols_ = 0;
    double *map_ = nullptr, *learned_ = nullptr, *point_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
