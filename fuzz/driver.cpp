// SPDX-License-Identifier: Apache-2.0

// Two ways to call a target: as any libFuzzer program, and with --write-seeds=FOLDER, which writes its seeds and ends.

#include <statiq/calibrate/calibration_error.hpp>
#include <statiq/io/error.hpp>
#include <statiq/io/file.hpp>

#include "../tests/support/readers.hpp"
#include "target.hpp"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace {

void write_seeds(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    std::size_t number = 0;
    for (const fuzz::bytes& seed : fuzz::seeds()) {
        fuzz::read(seed); // a seed is valid
        const std::span<const std::byte> whole = seed;
        statiq::io::write_file(folder / ("seed" + std::to_string(number++)), std::span(&whole, 1));
    }
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    constexpr std::string_view option = "--write-seeds=";
    if (*argc != 2 || !std::string_view((*argv)[1]).starts_with(option)) return 0;
    try {
        write_seeds((*argv)[1] + option.size());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        std::exit(1);
    }
    std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
    try {
        fuzz::read({input.begin(), input.end()});
    } catch (const statiq::io::format_error& error) {
        readers::require_message(error.what());
    } catch (const statiq::calibration_error& error) {
        readers::require_message(error.what());
    }
    return 0;
}
