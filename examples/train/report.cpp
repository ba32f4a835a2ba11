// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <statiq/io/file.hpp>

#include <nlohmann/json.hpp>

#include "rules.hpp"

namespace train {

namespace {

using nlohmann::json;

json stored(const epoch_line& e) {
    return {{"loss", e.loss},
            {"penalty", e.penalty},
            {"train_percent", e.train_percent},
            {"test_percent", e.test_percent},
            {"seconds", e.seconds}};
}
json stored(const deployment_line& d) {
    return {{"scheme", d.scheme},
            {"bits", d.bits},
            {"float_percent", d.float_percent},
            {"simulated_percent", d.simulated_percent},
            {"integer_percent", d.integer_percent ? json(*d.integer_percent) : json()},
            {"other_classes", d.others},
            {"other_classes_far", d.far}};
}
json stored(const statiq::branch_scale& b) {
    return {{"layer", b.layer}, {"norm", b.norm}, {"mean", b.mean()}, {"largest", b.largest()}};
}

template <class T>
json all(const std::vector<T>& lines) {
    json made = json::array();
    for (const T& line : lines) made.push_back(stored(line));
    return made;
}

} // namespace

void write_report(const training_report& report, const options& chosen) {
    json settings = {{"seed", chosen.seed}};
    for (const auto& [name, value] : settings_of(chosen)) settings[name] = value;
    const json made = {{"settings", settings},
                       {"epochs", all(report.epochs)},
                       {"deployments", all(report.deployments)},
                       {"branches", all(report.branches)}};
    statiq::io::write_file(chosen.report, made.dump(1) + "\n");
}

} // namespace train
