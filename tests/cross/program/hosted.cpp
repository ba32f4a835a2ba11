// SPDX-License-Identifier: Apache-2.0
#include "digits.hpp"

int main() { return recognise_digits(); }
