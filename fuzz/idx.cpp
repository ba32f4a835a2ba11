// SPDX-License-Identifier: Apache-2.0

// MNIST's arrays, and images made of them.

#include <statiq/io/images.hpp>

#include "../tests/io/support.hpp"
#include "../tests/support/readers.hpp"
#include "target.hpp"
#include <string>
#include <vector>

void fuzz::read(const bytes& input) {
    readers::read_idx(input);
    const statiq::io::image_set images(statiq::io::parse_idx(input, readers::source), {4, 3, 1},
                                       statiq::io::minus_one_to_one());
    for (std::size_t i = 0; i < images.size(); ++i)
        for (const float x : images[i]) readers::require(x >= -1 && x <= 1, "pixels become reals from -1 to 1");
}

std::vector<fuzz::bytes> fuzz::seeds() {
    using namespace std::string_literals;
    return {io_test::bytes_of("\0\0\x08\3\0\0\0\2\0\0\0\4\0\0\0\3"s + io_test::counting(24)),
            io_test::bytes_of("\0\0\x08\4\0\0\0\1\0\0\0\4\0\0\0\3\0\0\0\1"s + io_test::counting(12))};
}
