// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/io/safetensors.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>

/// Per-operator cases whose outputs TensorFlow Lite Micro's reference kernels computed: <folder>/golden/ops, where
/// <folder> is the environment's STATIQ_DATA, or else what the build was told.
namespace kernel_test {

inline std::optional<std::filesystem::path> golden_ops() {
    std::filesystem::path folder;
    if (const char* named = std::getenv("STATIQ_DATA")) folder = named;
#ifdef STATIQ_DEFAULT_DATA_DIR
    else
        folder = STATIQ_DEFAULT_DATA_DIR;
#endif
    folder = folder / "golden" / "ops";
    std::error_code absent;
    return std::filesystem::is_directory(folder, absent) ? std::optional(folder) : std::nullopt;
}

/// <name>.safetensors, or nothing (and a message) when it is not there.
inline std::optional<statiq::io::safetensors> golden_tensors(const std::string& name) {
    const auto folder = golden_ops();
    const auto file = folder.value_or("") / (name + ".safetensors");
    if (!folder || !std::filesystem::exists(file)) {
        MESSAGE("skipped: no data (" << name << ")");
        return std::nullopt;
    }
    return statiq::io::read_safetensors(file);
}

/// The cases of one operator: their parameters, and their tensors c<case>.input, c<case>.output, ...
struct golden_cases {
    nlohmann::json cases;
    statiq::io::safetensors tensors;

    statiq::io::tensor_view tensor(const nlohmann::json& one, const std::string& name) const {
        return tensors.at("c" + std::to_string(one.at("case").get<int>()) + "." + name);
    }
};

inline std::optional<golden_cases> golden(const std::string& operation) {
    auto tensors = golden_tensors(operation);
    if (!tensors) return std::nullopt;
    std::ifstream parameters(*golden_ops() / (operation + ".json"));
    return golden_cases{nlohmann::json::parse(parameters).at("cases"), std::move(*tensors)};
}

} // namespace kernel_test
