// One attempt of a step in every lane of a group that wants this kind, and what it leads to.
#pragma once

#include "lane_closing.hpp"
#include "lane_control.hpp"
#include "lane_plateau.hpp"

namespace thalweg {

class LaneStep {
public:
    LaneStep(LaneField& field, const PlateauTask* plateaus, int kinds)
        : field_(field), rock4_(field), dop853_(field), closing_(field), plateaus_(field, plateaus),
          control_(field, rock4_, kinds) {
        cut();
        space_.allocate();
        cut();
    }

    const std::vector<Degree>& degrees() const { return rock4_.degrees(); }
    const LaneKinds& kinds() const { return control_.kinds(); }
    LanePlateaus& plateaus() { return plateaus_; }
    std::int64_t useful() const { return useful_; }
    std::int64_t spent() const { return spent_; }

    void begin(LaneState& s) const { control_.begin(s); }
    void plan(const BatchLimits& limits, LaneGroup& g, Mask which) const {
        control_.plan(limits, g, which);
    }

    void take(const BatchLimits& limits, LaneGroup& g, int kind) {
        LaneState& s = g.s;
        const bool high = kind == 0;
        Mask busy;
        for (int k = 0; k < V; ++k) busy[k] = g.ready(k, kind) ? -1 : 0;
        const Vector h = select(busy, s.reach, Vector{});
        const Mask last = s.last > 0.0;
        const Mask small = busy & ((h <= Vector{}) | ((s.t + h == s.t) & ~last));
        const Vector stages = high ? broadcast(LaneDop853::stages) : choose(g, busy, h);
        account(busy, stages);
        const LaneSums sums =
            high ? dop853_.step(s.y, s.slope, h, trial_, trial_slope_)
                 : rock4_.step(g.degrees, most_, s.y, s.slope, h, trial_, trial_slope_);

        const Vector moved = root(sums.error), loss = sums.loss, slope_norm = root(sums.slope);
        Vector error = moved / std::sqrt(double(field_.size())) / s.tolerance;
        error = select(finite(error), error, broadcast(HUGE_VAL));
        const Mask grew = ~(loss <= s.loss + control_.slack(s, moved)), within = error <= 1.0;
        const Mask good = busy & within & ~grew & ~small, bad = busy & ~good;
        const Vector wall = control_.wall(s);
        const Mask walled = wall < s.h;
        LaneControl::resize(s, error, within, good, bad, high);
        if (high) control_.compare(s, sums.coarse, good);
        if (!high) {
            s.held = select(good, select(walled, s.held + 1, Vector{}), s.held);
            s.ceiling = select(bad & within & grew, 0.8 * h * s.radius, s.ceiling);
        } else {
            s.held = select(good, Vector{}, s.held);
        }
        s.radius = select(bad & grew & ~within, 1.2 * s.radius, s.radius);
        s.restless = select(bad & grew, broadcast(1.0), s.restless);
        s.rejected += select(bad, broadcast(1.0), Vector{});
        s.stages += select(busy, stages, Vector{});
        s.steps += select(good, broadcast(1.0), Vector{});

        observe(limits, g, good, {s.y, s.slope, trial_, trial_slope_, h}, high, loss);
        s.least = select(good & (s.basin_time != s.basin_time), smaller(s.least, slope_norm),
                         s.least);
        s.path = select(good, s.path + h * s.slope_norm, s.path);
        s.t = select(good, select(last, broadcast(limits.t_end), s.t + h), s.t);
        s.loss = select(good, loss, s.loss);
        s.slope_norm = select(good, slope_norm, s.slope_norm);
        s.size = select(good, root(sums.size), s.size);
        for (int k = 0; k < V; ++k)
            if (busy[k]) g.over[k] = small[k] ? too_small : go_on;
        if (!high) control_.stiff(limits, g, stages);
        if (all(good)) {
            std::swap(s.y, trial_);
            std::swap(s.slope, trial_slope_);
        } else {
            for (Index i = 0; i < field_.length(); i += V) {
                store(s.y + i, select(good, load(trial_ + i), load(s.y + i)));
                store(s.slope + i, select(good, load(trial_slope_ + i), load(s.slope + i)));
            }
        }
        close(limits, s, good, h);
        control_.measure(field_, limits, s, good, trial_);
        control_.plan(limits, g, busy);
    }

private:
    static constexpr double rest_share = 0.1;  // of the tolerance that the rest of the way may be

    // Degrees of the lanes that take a step; their numbers of stages.
    Vector choose(LaneGroup& g, Mask busy, Vector h) {
        most_ = 5;
        for (int k = 0; k < V; ++k)
            if (busy[k]) {
                g.degrees.choose(k, h[k] * g.s.radius[k]);
                most_ = std::max(most_, int(g.degrees.stages()[k]));
            }
        return g.degrees.stages();
    }
    void account(Mask busy, Vector stages) {
        int most = 0;
        for (int k = 0; k < V; ++k)
            if (busy[k]) {
                useful_ += std::int64_t(stages[k]);
                most = std::max(most, int(stages[k]));
            }
        spent_ += V * most;
    }

    // What happened inside the steps: entry into the basin, plateaus.
    void observe(const BatchLimits& limits, LaneGroup& g, Mask good, LaneSpan span, bool high,
                 Vector loss) {
        LaneState& s = g.s;
        const Mask passed = good & (loss < limits.basin_level) & (s.basin_time != s.basin_time);
        Mask changed = Vector{} != Vector{};
        if (plateaus_.on()) changed = plateaus_.arrive(s, good, span);
        if (!any(passed | changed)) return;
        if (high) dop853_.densify(span);
        if (any(passed)) {
            const Vector part = passing(passed, [&](Vector x) {
                span.at(field_.length(), x, spare_);
                Vector ratio = field_.loss(field_.multiplied(spare_)) / limits.basin_level;
                for (int k = 0; k < V; ++k) ratio[k] = std::log(ratio[k]);
                return ratio;
            });
            s.basin_time = select(passed, s.t + part * span.h, s.basin_time);
            s.basin_steps = select(passed, s.steps, s.basin_steps);
            s.basin_stages = select(passed, s.stages, s.basin_stages);
        }
        if (any(changed)) plateaus_.note(s, changed, span, g.index);
        if (high) field_.rhs(trial_, spare_);  // the products there are needed again
    }

    // Lanes whose way ends here, as Driver::at_rest.
    void close(const BatchLimits& limits, LaneState& s, Mask good, Vector h) {
        if (!std::isfinite(limits.t_end) || limits.loss_stop >= 0 || limits.gradient_stop > 0)
            return;
        const Vector enough = rest_share * std::sqrt(double(field_.size())) * s.tolerance;
        Mask due = good & (2 * s.loss <= enough * s.slope_norm) & (limits.t_end - s.t >= 4 * h);
        if (limits.basin_level > 0) due &= s.basin_time == s.basin_time;  // it is to be timed
        if (!any(due)) return;
        const Mask certain = closing_.certain(s.y, s.loss, enough, due);
        s.t = select(certain, broadcast(limits.t_end), s.t);
        s.steps += select(certain, broadcast(1.0), Vector{});
    }

    void cut() {
        for (auto** array : {&trial_, &trial_slope_, &spare_})
            *array = space_.take(field_.length());
    }

    LaneField& field_;
    LaneRock4 rock4_;
    LaneDop853 dop853_;
    LaneClosing closing_;
    LanePlateaus plateaus_;
    LaneControl control_;
    int most_ = 0;
    std::int64_t useful_ = 0, spent_ = 0;
    double *trial_ = nullptr, *trial_slope_ = nullptr, *spare_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
