// SPDX-License-Identifier: Apache-2.0
#include "group_table.hpp"

STATIQ_DEFINE_GROUP(convolutions_s8_gemmlowp)
