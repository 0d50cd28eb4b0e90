// Many starts of one problem: every start has its own time, step and end. Some dozens are under way
// at a time; those that want the same kind of step next are put into the lanes of one register and
// take it together, and when one ends the next start comes from the queue.
//
// Who is beside whom changes nothing but time: no arithmetic crosses lanes.
#pragma once

#include <memory>

#include "lane_gauge.hpp"
#include "lane_rest.hpp"
#include "lane_step.hpp"

namespace thalweg {

class Lanes {
public:
    Lanes(int depth, const std::int64_t* dims, const double* target, const double* metric,
          const PlateauTask* plateaus)
        : field_(depth, dims, target, metric),
          step_(field_, plateaus, field_.size() <= widest ? LaneKinds::most : 2), gauge_(field_),
          rest_(field_) {
        for (int kind = 0; kind < step_.kinds().count(); ++kind)
            groups_.push_back(std::make_unique<LaneGroup>(step_.degrees()));
        cut();
        space_.allocate();
        cut();
    }

    // Works on the queue until it is empty or told to stop.
    void run(const BatchLimits& limits, BatchQueue& queue, const double* first_vector,
             const double* starts, double* ends, BatchRow* rows) {
        Run run{limits, queue, first_vector, starts, ends, rows};
        for (auto& g : groups_) settle(run, *g);
        for (int kind; (kind = most_wanted()) >= 0 && !queue.stopped();) {
            LaneGroup& g = gather(kind);
            step_.take(limits, g, kind);
            settle(run, g);
        }
        queue.account(step_.useful(), step_.spent());
        flush(run);
    }

private:
    static constexpr Index widest = 600;  // unknowns up to which many starts fit into the cache

    struct Run {
        const BatchLimits& limits;
        BatchQueue& queue;
        const double *first_vector, *starts;
        double* ends;
        BatchRow* rows;
        std::int64_t next = 0, last = 0, pending = 0;  // prepared starts; ended ones
        std::int64_t waiting[V] = {};
    };

    // The kind of step that most starts want next, -1 if there are none.
    int most_wanted() const {
        int counts[LaneKinds::most] = {}, best = -1;
        for (const auto& g : groups_)
            for (int k = 0; k < V; ++k)
                if (g->alive(k)) ++counts[g->wants[k]];
        for (int kind = 0; kind < step_.kinds().count(); ++kind)
            if (counts[kind] > (best < 0 ? 0 : counts[best])) best = kind;
        return best;
    }

    // Bring starts that want this kind into its group, as many as there is room for.
    LaneGroup& gather(int kind) {
        LaneGroup& g = *groups_[kind];
        int k = 0;
        for (auto& other : groups_) {
            if (other.get() == &g) continue;
            for (int j = 0; j < V; ++j) {
                if (!other->ready(j, kind)) continue;
                while (k < V && g.ready(k, kind)) ++k;
                if (k == V) return g;
                g.swap(k, *other, j, field_.length());
            }
        }
        return g;
    }

    // Ended starts leave; new ones take every place that is free.
    void settle(Run& run, LaneGroup& g) {
        Mask fresh;
        for (int k = 0; k < V; ++k) {
            fresh[k] = 0;
            while (!g.alive(k) || end(run, g, k)) {
                if (!refill(run, g, k)) break;
                fresh[k] = -1;
            }
        }
        if (any(fresh)) step_.plan(run.limits, g, fresh);
    }

    bool refill(Run& run, LaneGroup& g, int k) {
        g.index[k] = -1;
        g.over[k] = go_on;
        if (run.next == run.last && !run.queue.stopped()) {
            const std::int64_t first = run.queue.take();
            if (first < run.queue.count) {
                run.next = first;
                run.last = std::min<std::int64_t>(first + V, run.queue.count);
                load_rows(field_.size(), run.starts + first * field_.size(), run.last - first,
                          ready_.y);
                first_ = first;
                prepare(field_, run.limits, run.first_vector, ready_, one_);
                step_.begin(ready_);
                if (step_.plateaus().on()) step_.plateaus().begin(ready_);
            }
        }
        if (run.next == run.last) return false;
        g.s.copy(k, ready_, static_cast<int>(run.next - first_), field_.length());
        g.index[k] = run.next++;
        return true;
    }

    // Whether the start in lane k is over; if so, its row is written.
    bool end(Run& run, LaneGroup& g, int k) {
        const BatchLimits& limits = run.limits;
        LaneState& s = g.s;
        Status status = static_cast<Status>(g.over[k]);
        const double slope = s.slope_norm[k], loss = s.loss[k];
        if (!std::isfinite(slope) || !std::isfinite(loss)) status = non_finite;
        else if (loss <= limits.loss_stop) status = loss_reached;
        else if (slope <= limits.gradient_stop) status = gradient_reached;
        else if (s.t[k] >= limits.t_end) status = at_end;
        else if (s.steps[k] >= double(limits.max_steps)) status = steps_spent;
        else if (!(s.size[k] <= 1e100)) status = diverged;
        else if (status == go_on && rest_.reached(limits, s, k)) status = gradient_reached;
        if (status == go_on) return false;
        step_.plateaus().end(s, k, g.index[k]);
        const std::int64_t i = g.index[k];
        store_row(field_.size(), s.y, k, run.ends + i * field_.size());
        run.rows[i] = {s.t[k], loss, slope, s.basin_time[k], 0, 0, s.least[k], status,
                       std::int64_t(s.steps[k]), std::int64_t(s.rejected[k]),
                       std::int64_t(s.stages[k]), std::int64_t(s.basin_steps[k]),
                       std::int64_t(s.basin_stages[k]), std::int64_t(s.passages[k])};
        run.waiting[run.pending++] = i;
        if (run.pending == V) flush(run);
        return true;
    }

    // Repair the conserved matrices of ended starts, V at a time.
    void flush(Run& run) {
        if (run.pending == 0) return;
        const Index n = field_.size();
        for (int k = 0; k < V; ++k) {
            const std::int64_t i = run.waiting[std::min<std::int64_t>(k, run.pending - 1)];
            for (Index j = 0; j < n; ++j) {
                one_[j * V + k] = run.starts[i * n + j];
                two_[j * V + k] = run.ends[i * n + j];
            }
        }
        Vector before, after;
        gauge_.repair(one_, two_, before, after);
        for (int k = 0; k < run.pending; ++k) {
            const std::int64_t i = run.waiting[k];
            store_row(n, two_, k, run.ends + i * n);
            run.rows[i].drift = before[k];
            run.rows[i].repaired = after[k];
        }
        run.queue.finished(run.pending);
        run.pending = 0;
    }

    void cut() {
        std::vector<LaneState*> states{&ready_};
        for (auto& g : groups_) states.push_back(&g->s);
        for (LaneState* state : states)
            for (auto** array : {&state->y, &state->slope, &state->vector})
                *array = space_.take(field_.length());
        for (auto** array : {&one_, &two_}) *array = space_.take(field_.length());
    }

    LaneField field_;
    LaneStep step_;
    LaneGauge gauge_;
    LaneRest rest_;
    std::vector<std::unique_ptr<LaneGroup>> groups_;
    LaneState ready_{};
    std::int64_t first_ = 0;
    double *one_ = nullptr, *two_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
