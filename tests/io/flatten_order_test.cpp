// SPDX-License-Identifier: Apache-2.0
// Behind `flatten`, files count channel by channel as PyTorch does, whatever stands before the layer that reads it. The
// expected outputs come from an interpreter of the file's tensors on channel-first (CHW) memory, where flattening moves
// nothing. All numbers are small integers, so that sums are exact in any order.
#include <statiq/execute/float_network.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/io/parameters.hpp>
#include <statiq/operations/library.hpp>

#include <doctest/doctest.h>

#include "../extending/mix.hpp"
#include "support.hpp"
#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace statiq;

namespace {

using floats = std::vector<float>;
using tensor_map = std::map<std::string, floats>;

floats integers(std::mt19937& random, std::size_t count) {
    floats values(count);
    for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 7) - 3);
    return values;
}

/// Every tensor of a file. A variance of 3 and an epsilon of 1 make a deviation of 2.
template <class Net>
tensor_map random_tensors(std::mt19937& random) {
    tensor_map tensors;
    for (const node& n : Net::nodes) {
        const std::string name(n.name.view());
        const auto out = static_cast<std::size_t>(n.out.channels);
        if (n.is_linear()) {
            tensors[name + ".weight"] = integers(random, n.convolution().weight_count());
            if (n.has_bias) tensors[name + ".bias"] = integers(random, out);
        } else if (n.is<operations::batch_norm>()) {
            for (const char* tensor : {".gamma", ".beta", ".mean"}) tensors[name + tensor] = integers(random, out);
            tensors[name + ".var"] = floats(out, 3.0F);
        }
    }
    return tensors;
}

template <class Net>
io::safetensors file_of(const tensor_map& tensors, const std::filesystem::path& path) {
    io::safetensors_builder file;
    for (const node& n : Net::nodes)
        for (const char* tensor : {"weight", "bias", "gamma", "beta", "mean", "var"}) {
            const auto place = tensors.find(std::string(n.name.view()) + "." + tensor);
            if (place != tensors.end()) file.add(place->first, io::detail::file_shape(n, tensor), place->second);
        }
    io::write_safetensors(path, file);
    return io::read_safetensors(path);
}

/// y[out][pixel] = bias + the sum of weight[out][in] x[in][pixel]: 1 x 1 convolutions and dense layers.
floats mixed(const floats& weight, const floats& bias, const floats& x) {
    const std::size_t in = weight.size() / bias.size();
    const std::size_t pixels = x.size() / in;
    floats y(bias.size() * pixels);
    for (std::size_t o = 0; o < bias.size(); ++o)
        for (std::size_t p = 0; p < pixels; ++p) {
            y[o * pixels + p] = bias[o];
            for (std::size_t c = 0; c < in; ++c) y[o * pixels + p] += weight[o * in + c] * x[c * pixels + p];
        }
    return y;
}

/// The network as PyTorch's layers compute it: on channel-first memory, with the tensors as the file has them.
template <class Net>
floats channel_first_output(const tensor_map& tensors, const floats& image) {
    std::vector<floats> values;
    for (const node& n : Net::nodes) {
        const std::string name(n.name.view());
        const auto before = [&](int k) {
            return values[static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(k)])];
        };
        floats y = n.is<operations::input>() ? image : before(0);
        const std::size_t pixels = n.out.pixels();
        if (n.is_linear()) {
            const floats none(static_cast<std::size_t>(n.out.channels));
            y = mixed(tensors.at(name + ".weight"), n.has_bias ? tensors.at(name + ".bias") : none, y);
        } else if (n.is<operations::batch_norm>()) {
            for (std::size_t i = 0; i < y.size(); ++i) {
                const std::size_t c = i / pixels;
                y[i] = tensors.at(name + ".gamma")[c] * (y[i] - tensors.at(name + ".mean")[c]) / 2 +
                       tensors.at(name + ".beta")[c];
            }
        } else if (n.traits().clamps) {
            for (float& value : y) value = std::max(value, 0.0F);
        } else if (n.is<operations::add>()) {
            for (int k = 1; k < n.input_count; ++k)
                for (std::size_t i = 0; i < y.size(); ++i) y[i] += before(k)[i];
        } else if (n.is<operations::concat>()) {
            for (int k = 1; k < n.input_count; ++k) {
                const floats next = before(k);
                y.insert(y.end(), next.begin(), next.end());
            }
        } else if (n.is<operations::broadcast>()) {
            y = floats(n.out.size(), y.front());
        }
        // Flattening, conversions and pools of one pixel leave the memory as it is.
        values.push_back(y);
    }
    return values.back();
}

template <class Net>
void check(std::mt19937& random) {
    const auto tensors = random_tensors<Net>(random);
    const io_test::temporary_folder folder;
    const auto read = io::read_parameters<Net>(file_of<Net>(tensors, folder.path() / "in.safetensors"));
    const auto image = integers(random, Net::nodes[0].out.size()); // channel first
    const auto channels = static_cast<std::size_t>(Net::nodes[0].out.channels);
    floats pixel_first(image.size());
    for (std::size_t i = 0; i < image.size(); ++i) {
        const std::size_t pixels = image.size() / channels;
        pixel_first[i % pixels * channels + i / pixels] = image[i];
    }
    float_network network(read);
    const auto output = network(pixel_first);
    CHECK(floats(output.begin(), output.end()) == channel_first_output<Net>(tensors, image));

    io::save(folder.path() / "out.safetensors", read);
    const io::safetensors again = io::read_safetensors(folder.path() / "out.safetensors");
    for (const auto& [name, values] : tensors) CHECK(io::to_floats(again.at(name)) == values);
}

template <auto... Layers>
struct net final : network<decltype((input<2, 3, 4> | ... | Layers))> {};

constexpr auto norm = batch_norm(epsilon<1.0>);
constexpr auto last = named<"fc">(dense<3>);

} // namespace

TEST_CASE("a dense layer's inputs follow the flatten, whatever stands between") {
    std::mt19937 random(14);
    check<net<flatten, last>>(random);
    check<net<flatten, convert, last>>(random);
    check<net<flatten, relu, convert, norm, relu, last>>(random);
    check<net<flatten, flatten, last>>(random);
    check<net<flatten, reshape<1, 1, 24>, last>>(random);
    check<net<flatten, max_pool(kernel<1>), average_pool(kernel<1>), global_average_pool, last>>(random);
    check<net<flatten, named<"mix">(pointwise<5>), last>>(random);
    check<net<reshape<3, 2, 4>, relu, flatten, last>>(random);
    check<net<named<"image">(pointwise<2>), relu, flatten, last, relu, named<"next">(dense<2>)>>(random);
}

TEST_CASE("flattening a single pixel changes nothing") {
    std::mt19937 random(15);
    struct single final : network<decltype(input<1, 1, 7> | flatten | relu | last)> {};
    check<single>(random);
    struct mixed_first final : network<decltype(input<1, 1, 7> | named<"one">(pointwise<5>) | flatten | last)> {};
    check<mixed_first>(random);
}

TEST_CASE("sums and concatenations of flattened tensors keep the order") {
    std::mt19937 random(16);
    constexpr auto flat_sum = add(flatten, relu | flatten, flatten | norm);
    check<net<flat_sum, last>>(random);
    check<net<flatten, residual(relu), last>>(random);
    check<net<concat(flatten, named<"two">(pointwise<2>) | flatten, named<"five">(flatten | dense<5>)), relu, last>>(
        random);
    check<net<concat(flatten, flatten) | residual(convert), norm, last>>(random);
    // A number that is added to all of them has any order.
    check<net<add(flatten, named<"one">(flatten | dense<1>) | broadcast<1, 1, 24>), last>>(random);
}

// The outputs of the inner layers are counted as what they are added to.
TEST_CASE("a layer whose outputs are added to a flattened tensor counts them in its order") {
    std::mt19937 random(18);
    constexpr auto inner = named<"inner">(dense<24>);
    check<net<flatten, residual(inner), last>>(random);
    check<net<flatten, residual(inner | norm | relu), relu, last>>(random);
    check<net<add(named<"one">(flatten | inner | convert), flatten | relu, named<"two">(flatten | inner)), last>>(
        random);
    check<net<flatten, residual(residual(inner) | named<"outer">(pointwise<24>)), norm, last>>(random);
    check<net<flatten, residual(named<"first">(dense<5>) | relu | inner), residual(named<"next">(dense<24>)), last>>(
        random);
    check<net<flatten, add(inner, named<"other">(dense<24>)) | residual(relu), last>>(random);
}

TEST_CASE("what files cannot count in one order is refused with the layer") {
    const auto message = []<class Net>(Net) -> std::string {
        std::mt19937 random(17);
        const io_test::temporary_folder folder;
        try {
            static_cast<void>(
                io::read_parameters<Net>(file_of<Net>(random_tensors<Net>(random), folder.path() / "a.safetensors")));
        } catch (const io::format_error& error) {
            return error.what();
        }
        return "";
    };
    using sum = net<add(flatten, reshape<4, 3, 2> | flatten), relu, last>;
    CHECK(message(sum{}).find("'fc': expected inputs that files count in one order") != std::string::npos);
    using grouped_outputs = net<add(named<"halves">(reshape<1, 1, 24> | pointwise<24>(groups<2>)), flatten), last>;
    CHECK(message(grouped_outputs{}).find("groups of an image's channels") != std::string::npos);
    using grouped = net<flatten, named<"halves">(pointwise<4>(groups<2>)), last>;
    CHECK(message(grouped{}).find("'halves': expected groups of an image's channels") != std::string::npos);
}

namespace {
/// Two parameters for each channel, which have no order behind a flattened image.
struct pairs : own::mix {
    static constexpr std::size_t twice(const node& n) { return 2 * shares(n); }
    static constexpr std::array<parameter_tensor, 1> tensors{{{"pairs", &layer_parameters::weight, twice}}};
};
} // namespace

TEST_CASE("parameters of a program's own operations follow the channels") {
    struct flat final : network<decltype(input<2, 3, 4> | flatten | named<"mix">(join<own::mix>(identity, relu)))> {};
    auto from = zero_parameters<flat>();
    constexpr auto mix = static_cast<std::size_t>(find_node<flat>("mix.mix"));
    for (std::size_t i = 0; i < 24; ++i) from[mix].weight[i] = static_cast<float>(i);
    const io_test::temporary_folder folder;
    io::save(folder.path() / "x", from);
    const io::safetensors file = io::read_safetensors(folder.path() / "x");
    const auto stored = io::to_floats(file.at("mix.mix.share"));
    // Six pixels of four channels: channel c of pixel p is value 4 p + c here, and 6 c + p in the file.
    for (std::size_t pixel = 0; pixel < 6; ++pixel)
        for (std::size_t c = 0; c < 4; ++c) CHECK(stored[6 * c + pixel] == static_cast<float>(4 * pixel + c));
    CHECK(io::load<flat>(folder.path() / "x") == from);

    struct paired final : network<decltype(input<2, 3, 4> | flatten | named<"two">(join<pairs>(identity, relu)))> {};
    CHECK(io_test::reports(io_test::failure([&] { io::save(folder.path() / "y", zero_parameters<paired>()); }),
                           (folder.path() / "y").string(), "two.mix", "one parameter for each channel",
                           "behind a flattened image"));
}
