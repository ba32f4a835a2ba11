// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/exceptions.hpp>
#include <statiq/io/parameters.hpp>
#include <statiq/io/safetensors.hpp>
#include <statiq/io/safetensors_writer.hpp>
#include <statiq/io/stored_reals.hpp>
#include <statiq/train/optimizer.hpp>
#include <statiq/train/trainable.hpp>
#include <statiq/train/weight_average.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace statiq {

/// Numbers that a checkpoint holds, where they are in memory.
struct checkpoint_entry {
    std::string name;
    std::vector<std::int64_t> shape;
    std::variant<std::span<float>, std::span<std::uint64_t>> values;
    std::vector<std::size_t> order{}; ///< where each stored value is in memory; empty: in the stored order
    std::function<void(const io::tensor_view&)> check{}; ///< throws where stored values, finite ones, cannot be
};

namespace detail {
inline void require_not_negative(const io::tensor_view& tensor) {
    io::detail::require_reals(tensor, io::detail::reals::not_negative);
}
/// Of a range: least and greatest.
inline void require_order(const io::tensor_view& tensor) {
    const auto ends = tensor.values<float>();
    if (ends[0] > ends[1])
        throw io::format_error(tensor.file, tensor.name, "a least value, then a greatest",
                               io::detail::real_text(tensor, 0) + " and " + io::detail::real_text(tensor, 1));
}

/// @throws io::format_error naming the value that cannot be
inline void check_entry(const checkpoint_entry& entry, const io::tensor_view& stored) {
    if (stored.dtype == io::dtype::f32) io::detail::require_reals(stored, io::detail::reals::finite);
    if (entry.check) entry.check(stored);
}
} // namespace detail

/// A network's trainables, states and counters. Parameters have the names and layouts of io/parameters.hpp, so that a
/// checkpoint is also a file of weights: `load` takes what it needs of it.
template <trainable_network Network>
std::vector<checkpoint_entry> network_entries(std::span<const node> nodes, Network& network) {
    std::vector<checkpoint_entry> entries;
    const io::detail::channel_orders orders(nodes);
    const auto add = [&](const auto& one) {
        const node& n = nodes[one.node];
        const std::string_view kind = tensor_name(one);
        checkpoint_entry entry{std::string(one.layer) + "." + std::string(kind),
                               {static_cast<std::int64_t>(one.values.size())},
                               one.values};
        if (one.role != parameter_role::range) {
            entry.shape = io::detail::file_shape(n, kind);
            entry.order = io::detail::natural_positions("checkpoint", n, kind, orders);
            if (one.not_negative()) entry.check = detail::require_not_negative;
        } else {
            entry.check = detail::require_order;
        }
        entries.push_back(std::move(entry));
    };
    for (const trainable& one : network.trainables()) add(one);
    for (const training_state& one : network.states()) add(one);
    for (const training_counter& one : network.counters())
        entries.push_back({std::string("counter.").append(one.name), {}, std::span(one.value, 1)});
    return entries;
}

namespace detail {
inline void add_entries(std::vector<checkpoint_entry>& entries, const std::string& prefix,
                        std::span<const trainable> of, std::span<std::vector<float>> values,
                        bool not_negative = false) {
    for (std::size_t i = 0; i < of.size(); ++i)
        entries.push_back({.name = prefix + "." + std::string(of[i].layer) + "." + std::string(tensor_name(of[i])),
                           .shape = {static_cast<std::int64_t>(values[i].size())},
                           .values = std::span(values[i]),
                           .check = not_negative ? require_not_negative : nullptr});
}
} // namespace detail

/// What an optimizer remembers, in natural order. @param of the trainables it moves
inline std::vector<checkpoint_entry> optimizer_entries(optimizer& from, std::span<const trainable> of) {
    std::vector<checkpoint_entry> entries{{"optimizer.steps", {}, std::span(&from.steps(), 1)}};
    const auto names = from.memory_names();
    for (std::size_t kind = 0; kind < names.size(); ++kind)
        detail::add_entries(entries, std::string("optimizer.").append(names[kind]), of, from.memory(kind),
                            from.rule().is_not_negative(names[kind]));
    return entries;
}
inline std::vector<checkpoint_entry> average_entries(weight_average& from, std::span<const trainable> of) {
    std::vector<checkpoint_entry> entries;
    detail::add_entries(entries, "average", of, from.averages());
    return entries;
}

/// Writes a checkpoint, whole or not at all: a failure leaves the file that was there.
/// @param settings what a training must have in common with this one to continue it
/// @throws io::format_error when `load_checkpoint` would refuse a value, since nothing can be continued from it, or the
///         file cannot be written
inline void save_checkpoint(const std::filesystem::path& path, std::span<const checkpoint_entry> entries,
                            const io::safetensors_metadata& settings) {
    io::safetensors_builder tensors;
    for (const checkpoint_entry& entry : entries) {
        std::visit(
            [&]<class T>(std::span<T> values) {
                std::vector<T> stored(values.begin(), values.end());
                for (std::size_t i = 0; i < entry.order.size(); ++i) stored[i] = values[entry.order[i]];
                const std::string file = path.string();
                detail::check_entry(entry, {.file = file,
                                            .name = entry.name,
                                            .dtype = io::dtype_of<T>,
                                            .shape = entry.shape,
                                            .bytes = std::as_bytes(std::span(stored))});
                tensors.add(entry.name, entry.shape, stored);
            },
            entry.values);
    }
    io::write_safetensors(path, tensors, settings);
}

namespace detail {

/// What a file has that the entries do not, or has otherwise; empty when nothing.
inline std::string checkpoint_differences(const io::safetensors& file, std::span<const checkpoint_entry> entries) {
    constexpr int most = 4;
    std::string text;
    int count = 0;
    const auto add = [&](const std::string& difference) {
        if (++count <= most) text += (count > 1 ? "; " : "") + difference;
    };
    std::vector<std::string_view> known;
    for (const checkpoint_entry& entry : entries) {
        known.push_back(entry.name);
        const std::string name = io::detail::printable(entry.name);
        if (!file.contains(entry.name)) {
            add("no " + name);
            continue;
        }
        const io::tensor_view found = file.at(entry.name);
        const io::dtype type = entry.values.index() == 0 ? io::dtype::f32 : io::dtype::u64;
        const auto described = [](io::dtype of, std::span<const std::int64_t> shape) {
            return std::string(io::name(of)) + io::detail::shape_text(shape);
        };
        if (found.dtype != type || !std::ranges::equal(found.shape, entry.shape))
            add(name + " as " + described(found.dtype, found.shape) + " instead of " + described(type, entry.shape));
    }
    std::ranges::sort(known);
    for (const std::string_view name : file.names())
        if (!std::ranges::binary_search(known, name)) add(io::detail::printable(name) + ", which this one lacks");
    return count > most ? text + "; and " + std::to_string(count - most) + " more" : text;
}

inline std::string setting_differences(const io::safetensors_metadata& found, const io::safetensors_metadata& wanted) {
    std::string text;
    for (const auto& [key, value] : wanted) {
        const auto place = found.find(key);
        const std::string other = place == found.end() ? "nothing" : io::detail::printable(place->second);
        if (place == found.end() || place->second != value)
            text += (text.empty() ? "" : "; ") + key + " " + other + " instead of " + io::detail::printable(value);
    }
    return text;
}

} // namespace detail

/// Reads a checkpoint that is in memory into the entries', or changes nothing.
/// @param settings those of the training that continues
/// @throws io::format_error when the file is not a checkpoint of such a training, or holds what cannot be (a NaN, an
///         infinity, a negative variance); the message names what differs
inline void read_checkpoint(const io::safetensors& file, std::span<const checkpoint_entry> entries,
                            const io::safetensors_metadata& settings) {
    if (const std::string other = detail::setting_differences(file.metadata(), settings); !other.empty())
        throw io::format_error(file.file(), "", "a checkpoint of the same training", other);
    if (const std::string other = detail::checkpoint_differences(file, entries); !other.empty())
        throw io::format_error(file.file(), "", "the tensors of this training", other);
    for (const checkpoint_entry& entry : entries) detail::check_entry(entry, file.at(entry.name));
    for (const checkpoint_entry& entry : entries)
        std::visit(
            [&]<class T>(std::span<T> values) {
                const auto stored = file.at(entry.name).values<T>();
                for (std::size_t i = 0; i < values.size(); ++i)
                    values[entry.order.empty() ? i : entry.order[i]] = stored[i];
            },
            entry.values);
}

/// Reads a checkpoint from a file.
/// @throws io::format_error as read_checkpoint, and when the file is not a safetensors file
inline void load_checkpoint(const std::filesystem::path& path, std::span<const checkpoint_entry> entries,
                            const io::safetensors_metadata& settings) {
    const io::safetensors file = io::read_safetensors(path);
    read_checkpoint(file, entries, settings);
}

} // namespace statiq
