// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>

#include "evaluate.hpp"

namespace demo {

options embedded_default() {
    const std::filesystem::path data = STATIQ_EXAMPLE_DATA_DIR;
    return {.weights = data / "digits.safetensors",
            .images = data / "digits_test_images.npy",
            .labels = data / "digits_test_labels.npy",
            .calibration = data / "digits_calibration_images.npy"};
}

int digits(const options& chosen) {
    return evaluate<sq::networks::digits>("digits", chosen, {.scale = {1.0F / 8.0F}, .offset = {-1.0F}});
}

} // namespace demo
