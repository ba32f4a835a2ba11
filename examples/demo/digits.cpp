// SPDX-License-Identifier: Apache-2.0
#include <statiq/networks/digits.hpp>

#include "evaluate.hpp"
#include "train_digits.hpp"

namespace demo {

options embedded_default() {
    const std::filesystem::path data = STATIQ_EXAMPLE_DATA_DIR;
    return {.weights = data / "digits.safetensors",
            .images = data / "digits_test_images.npy",
            .labels = data / "digits_test_labels.npy",
            .calibration = data / "digits_calibration_images.npy"};
}

int digits(const options& chosen) {
    const auto trained = chosen.train ? train_digits() : sq::load<sq::networks::digits>(chosen.weights);
    return evaluate("digits", trained, chosen, {.scale = {1.0F / 8.0F}, .offset = {-1.0F}});
}

} // namespace demo
