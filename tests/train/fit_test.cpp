// SPDX-License-Identifier: Apache-2.0
#include <statiq/graph/layer.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/train/fit.hpp>
#include <statiq/train/initialize.hpp>

#include <doctest/doctest.h>

#include "../io/support.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

using namespace statiq;
using io_test::failure;
using io_test::reports;

namespace {

constexpr int classes = 4;
constexpr auto body = input<3, 2, 2> | flatten | named<"fc">(dense<classes>);
struct net final : network<decltype(body)> {};
constexpr std::size_t fc = net::nodes.size() - 1;
constexpr std::size_t inputs = 12;

/// A matrix and its bias, differentiated by hand: what a fit needs of a network, without the library's own.
struct linear_network {
    parameters<net> at;
    parameters<net> gradient = zero_parameters<net>();
    std::uint64_t runs = 0; ///< a counter that decides nothing here but must come back
    std::vector<float> last{};
    std::vector<float> outputs{};

    explicit linear_network(std::uint64_t seed) {
        random_numbers random(seed);
        at = initial_parameters<net>(random);
    }
    std::vector<trainable> trainables() { return list_trainables(net::nodes, at.layers, gradient.layers); }
    std::vector<training_state> states() { return list_moving_statistics(net::nodes, at.layers); }
    std::vector<training_counter> counters() { return {{"runs", &runs}}; }

    std::span<const float> forward(std::span<const float> samples) {
        ++runs;
        last.assign(samples.begin(), samples.end());
        const std::size_t count = samples.size() / inputs;
        outputs.assign(count * classes, 0.0F);
        for (std::size_t s = 0; s < count; ++s)
            for (std::size_t o = 0; o < classes; ++o) {
                float sum = at[fc].bias[o];
                for (std::size_t i = 0; i < inputs; ++i) sum += at[fc].weight[o * inputs + i] * last[s * inputs + i];
                outputs[s * classes + o] = sum;
            }
        return outputs;
    }
    std::optional<std::size_t> first_not_finite(std::span<const float> samples) {
        const auto values = forward(samples);
        if (std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) return std::nullopt;
        return fc;
    }
    void backward(std::span<const float> of_outputs) {
        std::ranges::fill(gradient[fc].weight, 0.0F);
        std::ranges::fill(gradient[fc].bias, 0.0F);
        for (std::size_t k = 0; k < of_outputs.size(); ++k) {
            const std::size_t o = k % classes;
            gradient[fc].bias[o] += of_outputs[k];
            for (std::size_t i = 0; i < inputs; ++i)
                gradient[fc].weight[o * inputs + i] += of_outputs[k] * last[k / classes * inputs + i];
        }
    }
};

/// Images whose class is which of their first pixels is bright.
struct bright_pixels {
    io::image_set images;
    std::vector<std::int32_t> labels;

    static std::vector<std::byte> pixels(std::size_t count) {
        std::vector<std::byte> made(count * inputs);
        for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<std::byte>((i * 2654435761U >> 7U) % 100);
        for (std::size_t i = 0; i < count; ++i) made[i * inputs + i % classes] = std::byte{255};
        return made;
    }
    explicit bright_pixels(std::size_t count)
        : images({"bright", io::dtype::u8, {static_cast<std::int64_t>(count), 3, 2, 2}, pixels(count), 0}, {3, 2, 2},
                 io::minus_one_to_one()) {
        for (std::size_t i = 0; i < count; ++i) labels.push_back(static_cast<std::int32_t>(i % classes));
    }
};

fit_rules rules_with(const update_rule& update) {
    return {.update = update,
            .rate = warm_up{.steps = 3, .then = cosine_decay{.rate = 0.05, .steps = 40}},
            .penalties = {l2_penalty{.decay = 1e-3}},
            .average_decay = 0.9};
}

/// All that a training needs, put together.
struct training {
    bright_pixels data{50};
    linear_network network;
    batches source;
    fitting<linear_network> fit;

    explicit training(std::uint64_t seed, const fit_rules& rules = rules_with(sgd{}))
        : network(seed), source(data.images, data.labels, 8, {.padding = 1, .flip = true}, seed),
          fit(net::nodes, network, source, rules) {}
};

const io::safetensors_metadata settings{{"network", "linear"}, {"rate", "cosine"}};

} // namespace

TEST_CASE("fitting lowers the loss and finds the classes") {
    bright_pixels data(50);
    linear_network network(1);
    batches source(data.images, data.labels, 10, {}, 1);
    fitting<linear_network> fit(net::nodes, network, source, {.rate = constant_rate{0.1}});
    const fit_step first = fit.step();
    CHECK(first.samples == 10);
    fit_step last;
    for (int step = 0; step < 200; ++step) last = fit.step();
    CHECK(last.loss < first.loss / 4);
    CHECK(last.right == last.samples);
    CHECK(fit.steps() == 201);
}

TEST_CASE("a resumed training is the uninterrupted one, to the same bits") {
    const io_test::temporary_folder folder;
    for (const update_rule& update : {update_rule(sgd{}), update_rule(sgd{.nesterov = true}), update_rule(adam{})})
        for (const int before : {0, 1, 6, 7, 20}) { // six steps an epoch
            training whole(5, rules_with(update));
            for (int step = 0; step < before; ++step) (void)whole.fit.step();
            const auto checkpoint = folder.path() / "half";
            whole.fit.save(checkpoint, settings);
            training resumed(77, rules_with(update)); // other weights, other order of images
            resumed.fit.resume(checkpoint, settings);
            for (int step = 0; step < 15; ++step) {
                const fit_step a = whole.fit.step();
                const fit_step b = resumed.fit.step();
                CHECK(a.loss == b.loss);
                CHECK(a.penalty == b.penalty);
                CHECK(a.right == b.right);
            }
            CHECK(resumed.network.at == whole.network.at);
            whole.fit.save(folder.path() / "whole", settings);
            resumed.fit.save(folder.path() / "resumed", settings);
            CHECK(io::read_file(folder.path() / "whole") == io::read_file(folder.path() / "resumed"));
        }
}

TEST_CASE("the same seed gives the same bits, another seed others") {
    training one(5);
    training again(5);
    training other(6);
    for (int step = 0; step < 10; ++step)
        for (training* each : {&one, &again, &other}) (void)each->fit.step();
    CHECK(one.network.at == again.network.at);
    CHECK(!(one.network.at == other.network.at));
}

TEST_CASE("a checkpoint is also a file of weights, trained ones or their average") {
    const io_test::temporary_folder folder;
    training some(5);
    for (int step = 0; step < 10; ++step) (void)some.fit.step();
    const parameters<net> trained = some.network.at;
    some.fit.save(folder.path() / "trained", settings);
    CHECK(load<net>(folder.path() / "trained") == trained);
    some.fit.exchange_average();
    CHECK(!(some.network.at == trained));
    some.fit.exchange_average();
    CHECK(some.network.at == trained);
}

TEST_CASE("a checkpoint that cannot be written leaves the old one, and none is written of what is not finite") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "checkpoint";
    training some(5);
    some.fit.save(path, settings);
    const auto old = io::read_file(path);
    (void)some.fit.step();
    some.network.at[fc].bias[2] = std::numeric_limits<float>::infinity();
    CHECK(reports(failure([&] { some.fit.save(path, settings); }), path.string(), "fc.bias", "finite numbers",
                  "an infinity at [2]"));
    CHECK(io::read_file(path) == old);
    CHECK(folder.files() == 1);
    training other(5);
    const auto nowhere = folder.path() / "no such folder" / "checkpoint";
    CHECK(reports(failure([&] { other.fit.save(nowhere, settings); }), nowhere.string(), "", "a folder", ""));
    CHECK(folder.files() == 1);
}

TEST_CASE("a checkpoint of another training is refused, names what differs and changes nothing") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "checkpoint";
    training some(5);
    (void)some.fit.step();
    some.fit.save(path, settings);
    training other(6, rules_with(adam{}));
    const parameters<net> untouched = other.network.at;
    const auto refused = [&](const io::safetensors_metadata& with) {
        return failure([&] { other.fit.resume(path, with); });
    };
    const std::string tensors = refused(settings);
    CHECK(reports(tensors, path.string(), "", "the tensors of this training",
                  "no 'optimizer.first_moment.fc.weight'; no 'optimizer.first_moment.fc.bias'; no "
                  "'optimizer.second_moment.fc.weight'; no 'optimizer.second_moment.fc.bias'; and 2 more"));
    CHECK(reports(refused({{"network", "digits"}, {"rate", "cosine"}, {"seed", "7"}}), path.string(), "",
                  "a checkpoint of the same training",
                  "network 'linear' instead of 'digits'; seed nothing instead of '7'"));
    CHECK(other.network.at == untouched);

    std::vector<float> wrong(3);
    std::uint64_t steps = 9;
    const std::array<checkpoint_entry, 2> entries{
        {{"fc.weight", {3}, std::span(wrong)}, {"optimizer.steps", {}, std::span(&steps, 1)}}};
    const std::string shapes = failure([&] { load_checkpoint(path, entries, {}); });
    CHECK(reports(shapes, path.string(), "", "the tensors of this training",
                  "'fc.weight' as F32[4, 12] instead of F32[3]; 'counter.runs', which this one lacks"));
    CHECK(steps == 9);
}

TEST_CASE("a checkpoint's values are checked before any is taken, each by name") {
    const io_test::temporary_folder folder;
    const auto path = folder.path() / "checkpoint";
    training some(5, rules_with(adam{}));
    (void)some.fit.step();
    some.fit.save(path, settings);
    const auto refusal_with = [&](const std::string& changed, std::size_t index, auto value) {
        io::safetensors_builder tensors;
        {
            const io::safetensors whole = io::read_safetensors(path);
            for (const auto name : whole.names()) {
                const io::tensor_view tensor = whole.at(name);
                std::vector<std::byte> bytes(tensor.bytes.begin(), tensor.bytes.end());
                if (name == changed) std::memcpy(bytes.data() + index * sizeof value, &value, sizeof value);
                tensors.add(std::string(name), tensor.dtype, {tensor.shape.begin(), tensor.shape.end()}, bytes);
            }
        }
        io::write_safetensors(folder.path() / "changed", tensors, settings);
        training other(5, rules_with(adam{}));
        const parameters<net> untouched = other.network.at;
        const std::string message = failure([&] { other.fit.resume(folder.path() / "changed", settings); });
        CHECK((message.empty() || other.network.at == untouched));
        return message;
    };
    const auto file = (folder.path() / "changed").string();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    CHECK(refusal_with("fc.weight", 0, 1.5F) == "");
    CHECK(reports(refusal_with("fc.weight", 13, std::numeric_limits<float>::quiet_NaN()), file, "fc.weight",
                  "finite numbers", "a NaN at [1, 1]"));
    CHECK(reports(refusal_with("average.fc.bias", 2, -infinity), file, "average.fc.bias", "finite numbers",
                  "minus an infinity at [2]"));
    CHECK(reports(refusal_with("optimizer.second_moment.fc.bias", 1, -0.5F), file, "optimizer.second_moment.fc.bias",
                  "of at least 0", "-0.5 at [1]"));
    CHECK(refusal_with("optimizer.first_moment.fc.bias", 1, -0.5F) == "");
    // 50 images in batches of 8: seed, draws before the epoch, draws, images given.
    CHECK(refusal_with("batches", 3, std::uint64_t{16}) == "");
    CHECK(refusal_with("batches", 3, std::uint64_t{50}) == "");
    for (const std::uint64_t given : {std::uint64_t{9}, std::uint64_t{56}, ~std::uint64_t{0}})
        CHECK(reports(refusal_with("batches", 3, given), file, "batches", "where these batches may stand",
                      std::to_string(given) + " images given of 50 in batches of 8"));
    CHECK(reports(refusal_with("batches", 2, std::uint64_t{1} << 63), file, "batches", "may stand",
                  "9223372036854775808 random numbers drawn, more than 2^36"));
    CHECK(reports(refusal_with("batches", 1, std::uint64_t{1} << 20), file, "batches", "may stand",
                  "1048576 random numbers drawn before the epoch, and then"));

    std::array<float, 2> ends{};
    const checkpoint_entry range{
        .name = "a.range", .shape = {2}, .values = std::span(ends), .check = detail::require_order};
    ends = {3, -1};
    CHECK(reports(failure([&] { save_checkpoint(path, std::span(&range, 1), {}); }), path.string(), "a.range",
                  "a least value, then a greatest", "3 and -1"));
}

TEST_CASE("a loss that is not finite stops the training and names the first layer that is not") {
    const auto message_of = [](training& some) -> std::string {
        try {
            (void)some.fit.step();
        } catch (const training_diverged& diverged) {
            return diverged.what();
        }
        return {};
    };
    training some(5);
    (void)some.fit.step();
    some.network.at[fc].weight[7] = std::nanf("");
    const parameters<net> before = some.network.at;
    CHECK(message_of(some) == "step 2: the loss is nan; the first values that are not finite are those of layer 'fc'");
    CHECK(some.fit.steps() == 1);
    CHECK(std::ranges::equal(before[fc].bias, some.network.at[fc].bias));

    fit_rules rules = rules_with(sgd{});
    rules.loss = [](std::span<const float>, std::int32_t, double, std::span<float>) { return std::nan(""); };
    training strange(5, rules);
    CHECK(message_of(strange) == "step 1: the loss is nan, of finite outputs");
}

TEST_CASE("initial weights have the variance that keeps signals' size") {
    static constexpr auto rectified_body = input<8, 8, 16> | named<"a">(conv<64>(kernel<3>) | batch_norm | relu) |
                                           named<"b">(pointwise<64>) | flatten | named<"c">(dense<10>);
    struct rectified final : network<decltype(rectified_body)> {};
    random_numbers random(9);
    const auto made = initial_parameters<rectified>(random);
    const auto variance = [](const std::vector<float>& values) {
        double sum = 0;
        for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
        return sum / static_cast<double>(values.size());
    };
    // A mean of n squares of uniform numbers deviates by sqrt(4 / 5 n) of its value: 1 percent of 9216.
    CHECK(variance(made[1].weight) == doctest::Approx(2.0 / 144).epsilon(0.05));
    CHECK(variance(made[4].weight) == doctest::Approx(1.0 / 64).epsilon(0.07));
    CHECK(variance(made.layers.back().weight) == doctest::Approx(1.0 / 4096).epsilon(0.03));
    CHECK(std::ranges::all_of(made[2].gamma, [](float gamma) { return gamma == 1; }));
}
