// SPDX-License-Identifier: Apache-2.0

// NumPy's arrays.

#include "../tests/io/support.hpp"
#include "../tests/support/readers.hpp"
#include "target.hpp"
#include <cstdint>
#include <string>
#include <vector>

void fuzz::read(const bytes& input) { readers::read_npy(input); }

std::vector<fuzz::bytes> fuzz::seeds() {
    using io_test::bytes_of, io_test::counting, io_test::little_endian;
    const auto array = [](char version, const std::string& dictionary, std::size_t data) {
        const auto size = static_cast<std::uint32_t>(dictionary.size());
        const std::string length = version == 1 ? little_endian(static_cast<std::uint16_t>(size)) : little_endian(size);
        return bytes_of(std::string("\x93NUMPY") + version + '\0' + length + dictionary + counting(data));
    };
    return {array(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }    \n", 24),
            array(2, "{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }\n", 5),
            array(3, "{\"shape\": (), \"fortran_order\": False, \"descr\": \"<f8\"}", 8)};
}
