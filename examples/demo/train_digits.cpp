// SPDX-License-Identifier: Apache-2.0
#include "train_digits.hpp"

#include <statiq/io/images.hpp>
#include <statiq/threads/thread_pool.hpp>
#include <statiq/train/fit.hpp>
#include <statiq/train/initialize.hpp>
#include <statiq/train/training_network.hpp>

#include <cstdio>
#include <filesystem>

namespace demo {

namespace sq = statiq;

sq::parameters<sq::networks::digits> train_digits() {
    using digits = sq::networks::digits;
    constexpr std::size_t epochs = 600;
    constexpr std::size_t batch = 16;
    constexpr std::uint64_t seed = 1;
    const std::filesystem::path data = STATIQ_EXAMPLE_DATA_DIR;
    const sq::io::image_set images(sq::io::read_array(data / "digits_train_images.npy"), sq::input_extents<digits>,
                                   {.scale = {1.0F / 8.0F}, .offset = {-1.0F}});
    const auto labels = sq::io::read_labels(data / "digits_train_labels.npy", images.size());

    sq::random_numbers random(seed);
    sq::thread_pool threads;
    sq::training_network<digits> network(sq::initial_parameters<digits>(random), batch, threads);
    sq::batches source(images, labels, batch, {.padding = 1}, seed);
    const std::size_t steps = source.batches_per_epoch();
    sq::fitting fit(digits::nodes, network, source,
                    {.update = sq::sgd{},
                     .rate = sq::cosine_decay{.rate = 0.05, .steps = epochs * steps},
                     .penalties = {sq::l2_penalty{.decay = 1e-3}}});
    for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
        double loss = 0;
        std::size_t right = 0;
        for (std::size_t step = 0; step < steps; ++step) {
            const sq::fit_step seen = fit.step();
            loss += seen.loss / static_cast<double>(steps);
            right += seen.right;
        }
        if (epoch % 50 == 0)
            std::printf("epoch %3zu: loss %.4f, %zu of %zu training images right\n", epoch, loss, right, steps * batch);
    }
    return network.values();
}

} // namespace demo
