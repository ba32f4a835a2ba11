# SPDX-License-Identifier: Apache-2.0
"""The integer arithmetic of docs/numerics.md in NumPy, written from that page and from tests/data/golden/README.md.

It shares nothing with the C++ code. Integers are int64 arrays, so that nothing overflows which int32 would have to hold;
`fits` checks that it would. Tensors have the axes sample, height, width, channel.
"""
import math
from dataclasses import dataclass

import numpy as np

INT32 = (-2**31, 2**31 - 1)


def fits(values):
    """The values, which int32 has to hold."""
    assert values.size == 0 or (values.min() >= INT32[0] and values.max() <= INT32[1]), "the model left int32"
    return values


def half_away(x):
    """A real number to the nearest integer; halves go away from zero."""
    fraction, whole = math.modf(abs(x))
    return int(math.copysign(whole + (fraction >= 0.5), x))


@dataclass(frozen=True)
class Format:
    """Stored integers: `lowest` to `highest`, of `bits` bits."""
    bits: int
    symmetry: str
    granularity: str = "per_tensor"

    @property
    def lowest(self):
        return {"asymmetric": 0, "symmetric_unsigned": 0, "asymmetric_signed": -2**(self.bits - 1),
                "symmetric_full_range": -2**(self.bits - 1), "symmetric": -(2**(self.bits - 1) - 1)}[self.symmetry]

    @property
    def highest(self):
        return 2**self.bits - 1 if self.lowest == 0 else 2**(self.bits - 1) - 1

    @property
    def has_zero_point(self):
        return self.symmetry.startswith("asymmetric")

    @property
    def storage(self):
        return self.bits > 8, self.lowest < 0

    def interval(self):
        """What q - z can be."""
        span = self.highest - self.lowest
        return (-span, span) if self.has_zero_point else (self.lowest, self.highest)

    @property
    def cpp(self):
        return f"quantized<{self.bits}, {self.symmetry}, {self.granularity}>"

    @property
    def name(self):
        return f"{self.symmetry}{self.bits}_{self.granularity}"


def accumulator_interval(products, activation, weight):
    """What a sum of at most that many products can be, for any data, weights and zero points."""
    ends = [a * b for a in activation.interval() for b in weight.interval()] + [0]
    return products * min(ends), products * max(ends)


@dataclass(frozen=True)
class Map:
    """real = scale (q - zero)"""
    scale: np.float32
    zero: int


def quantize(real, numbers, form):
    """The float division is rounded to float, the quotient half away from zero; then the zero point, then the clamp."""
    quotient = float(np.float32(real) / numbers.scale)
    return min(max(half_away(quotient) + numbers.zero, form.lowest), form.highest)


def clamp_of(activation, numbers, form):
    ends = {"": (None, None), "relu": (0, None), "relu6": (0, 6), "relu_n1_to_1": (-1, 1)}[activation]
    return (form.lowest if ends[0] is None else quantize(ends[0], numbers, form),
            form.highest if ends[1] is None else quantize(ends[1], numbers, form))


# ---- fixed point ------------------------------------------------------------------------------------------------------


def quantize_multiplier(real):
    """real = m 2^(e - 31), m in [2^30, 2^31)."""
    mantissa, exponent = math.frexp(real)
    multiplier = half_away(mantissa * 2.0**31)
    if multiplier == 2**31:
        multiplier, exponent = 2**30, exponent + 1
    return (multiplier, exponent) if exponent >= -31 else (0, 0)


def bounded_multiplier(real):
    return (2**31 - 1, 30) if real >= 2.0**30 else quantize_multiplier(real)


def high_multiply(a, b):
    """floor((a b + 2^30) / 2^31): the nearest, ties up; the one product that does not fit saturates."""
    return np.minimum((a * b + 2**30) >> 31, INT32[1])


def divide_by_power_of_two(x, exponent):
    """The nearest, ties away from zero."""
    half = 2**exponent >> 1
    return np.where(x >= 0, (x + half) >> exponent, -((-x + half) >> exponent)) if exponent else x


class Gemmlowp:
    name = "gemmlowp"
    prepare = staticmethod(bounded_multiplier)

    @staticmethod
    def apply(acc, factor):
        multiplier, exponent = factor
        left, right = max(exponent, 0), max(-exponent, 0)
        inside = np.clip(fits(acc), -(2**31 >> left), (2**31 - 1) >> left)
        return divide_by_power_of_two(high_multiply(inside << left, np.int64(multiplier)), right)

    @staticmethod
    def prepare_align(ratio, left):
        return quantize_multiplier(ratio)

    @classmethod
    def align(cls, centred, factor, left):
        return cls.apply(centred << left, factor)

    @classmethod
    def prepare_mean(cls, ratio, count):
        multiplier, exponent = cls.prepare(ratio)
        left = min(int(math.floor(math.log2(count))), 32, 31 + exponent)
        return (multiplier << left) // count, exponent - left


class SingleRounding:
    name = "single_rounding"
    prepare = staticmethod(bounded_multiplier)
    prepare_align = Gemmlowp.prepare_align

    @staticmethod
    def apply(acc, factor):
        multiplier, exponent = factor
        return np.clip((fits(acc) * multiplier + (1 << (30 - exponent))) >> (31 - exponent), *INT32)

    @classmethod
    def align(cls, centred, factor, left):
        return cls.apply(centred << left, factor)

    @classmethod
    def prepare_mean(cls, ratio, count):
        return cls.prepare(ratio / count)


class FloatMultiplier:
    name = "float_multiplier"

    @staticmethod
    def prepare(real):
        return np.float32(real)

    @staticmethod
    def apply(acc, factor):
        product = fits(acc).astype(np.float32) * factor
        return np.clip(np.rint(product.astype(np.float64)), *INT32).astype(np.int64)

    @staticmethod
    def prepare_align(ratio, left):
        return int(np.rint(ratio * 2.0**left))

    @staticmethod
    def align(centred, factor, left):
        return centred * factor

    @classmethod
    def prepare_mean(cls, ratio, count):
        return cls.prepare(ratio / count)


SCHEMES = (Gemmlowp, SingleRounding, FloatMultiplier)


def requantize(scheme, acc, factor, zero, clamp):
    return np.clip(scheme.apply(acc, factor) + zero, *clamp)


# ---- operators --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    kernel: tuple = (1, 1)
    stride: tuple = (1, 1)
    dilation: tuple = (1, 1)
    before: tuple = (0, 0)

    def taps(self, size, out):
        """For each tap: its place in the kernel, the output rows and columns for which it is inside, and the input's."""
        for ky in range(self.kernel[0]):
            for kx in range(self.kernel[1]):
                axes = []
                for axis, k in enumerate((ky, kx)):
                    at = np.arange(out[axis]) * self.stride[axis] - self.before[axis] + k * self.dilation[axis]
                    inside = np.flatnonzero((at >= 0) & (at < size[axis]))
                    axes.append((inside, at[inside]))
                yield (ky, kx), np.ix_(axes[0][0], axes[1][0]), np.ix_(axes[0][1], axes[1][1])


def convolution(x, zero, weights, weight_zeros, bias, window, groups, out):
    """The accumulators. `weights` have the axes out, row, column, in of the group."""
    acc = np.zeros((len(x), *out), np.int64)
    depth, width = x.shape[3] // groups, out[2] // groups
    centred = x - zero
    factors = weights - weight_zeros[:, None, None, None]
    for (ky, kx), to, at in window.taps(x.shape[1:3], out[:2]):
        for g in range(groups):
            inputs = centred[:, at[0], at[1], g * depth:(g + 1) * depth]
            acc[:, to[0], to[1], g * width:(g + 1) * width] += inputs @ factors[g * width:(g + 1) * width, ky, kx].T
    return fits(acc + bias)


def linear_factors(scheme, scale_in, weight_scales, scale_out, rounds_product):
    """docs/exactness.md: with one scale, a dense layer and every layer on unsigned inputs rounds the product to float."""
    factors = []
    for scale in weight_scales:
        product = float(scale_in * scale) if rounds_product else float(scale_in) * float(scale)
        factors.append(scheme.prepare(product / float(scale_out)))
    return factors


def max_pool(x, window, out, clamp):
    result = np.full((len(x), *out), np.iinfo(np.int64).min)
    for _, to, at in window.taps(x.shape[1:3], out[:2]):
        result[:, to[0], to[1]] = np.maximum(result[:, to[0], to[1]], x[:, at[0], at[1]])
    return np.clip(result, *clamp)


def average_pool(x, window, out, clamp):
    """The mean of the stored integers inside the image, halves away from zero."""
    total = np.zeros((len(x), *out), np.int64)
    count = np.zeros((*out[:2], 1), np.int64)
    for _, to, at in window.taps(x.shape[1:3], out[:2]):
        total[:, to[0], to[1]] += x[:, at[0], at[1]]
        count[to] += 1
    mean = (np.abs(total) + count // 2) // count
    return np.clip(np.where(total < 0, -mean, mean), *clamp)


def add(scheme, inputs, maps, forms, numbers, clamp):
    common = 2 * max(float(m.scale) for m in maps)
    bits = max(form.bits for form in forms)
    left = 20 if bits <= 8 else 28 - bits
    total = sum(scheme.align(x - m.zero, scheme.prepare_align(float(m.scale) / common, left), left)
                for x, m in zip(inputs, maps))
    factor = scheme.prepare(common / (2.0**left * float(numbers.scale)))
    return requantize(scheme, fits(total), factor, numbers.zero, clamp)


def multiply(scheme, inputs, maps, numbers, clamp):
    """Extents of 1 are repeated."""
    factor = scheme.prepare(float(maps[0].scale) * float(maps[1].scale) / float(numbers.scale))
    product = fits((inputs[0] - maps[0].zero) * (inputs[1] - maps[1].zero))
    return requantize(scheme, product, factor, numbers.zero, clamp)


def mean(scheme, x, before, numbers, clamp):
    count = x.shape[1] * x.shape[2]
    factor = scheme.prepare_mean(float(before.scale) / float(numbers.scale), count)
    total = (x - before.zero).sum(axis=(1, 2), keepdims=True)
    return requantize(scheme, total, factor, numbers.zero, clamp)


def rescale(scheme, x, before, numbers, clamp):
    factor = scheme.prepare(float(before.scale) / float(numbers.scale))
    return requantize(scheme, x - before.zero, factor, numbers.zero, clamp)


# ---- softmax: fixed point with Q5.26 exponents, Q0.31 exponentials and their sum in Q12.19 ------------------------------


def exp_of_negative(a, integer_bits=5):
    """e^a for a <= 0 in Q5.26, as Q0.31: the polynomial between -1/4 and 0, then one factor for each bit of the rest.
    With another number of integer bits there are other fraction bits, and a factor for each integer bit."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    remainder = (a & (quarter - 1)) - quarter
    y = (remainder << integer_bits) + (1 << 28)
    y2 = high_multiply(y, y)
    y3, y4 = high_multiply(y2, y), high_multiply(y2, y2)
    term = divide_by_power_of_two(y4, 2) + y3
    term = divide_by_power_of_two(high_multiply(term, np.int64(715827883)) + y2, 1)
    e = 1895147668 + high_multiply(np.int64(1895147668), y + term)
    rest = remainder - a
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)[:integer_bits + 2]
    for k, factor in enumerate(factors, -2):
        e = np.where(rest & (1 << (fraction_bits + k)), high_multiply(e, np.int64(factor)), e)
    return np.where(a == 0, INT32[1], e)


def two_over_one_plus(x):
    """2 / (1 + x) in Q2.29 for x in Q0.31, by three Newton steps."""
    half_sum = (np.int64(x) + INT32[1] + 1) >> 1
    r = 1515870810 + high_multiply(half_sum, np.int64(-1010580540))
    for _ in range(3):
        gap = 2**29 - high_multiply(half_sum, r)
        r = r + np.clip(high_multiply(r, gap) * 4, *INT32)
    return r


def reciprocal(x, integer_digits):
    """1 / x for x > 0 in Q(integer_digits): (r, shift)."""
    zeros = 32 - int(x).bit_length()
    fraction = (int(x) << zeros) - 2**31  # x = (1 + fraction) 2^.., in Q0.31
    return min(int(two_over_one_plus(fraction)) * 2, INT32[1]), integer_digits - zeros


def softmax(x, scale, form):
    real = min(float(scale) * 2.0**26, 2.0**31 - 1)
    multiplier, left = quantize_multiplier(real)
    lowest = -((31 << 26) >> left)
    rows = x.reshape(-1, x.shape[-1])
    result = np.zeros_like(rows)
    for to, row in zip(result, rows):
        difference = row - row.max()
        counted = difference >= lowest
        exponential = exp_of_negative(high_multiply(np.where(counted, difference, 0) << left, np.int64(multiplier)))
        total = int(divide_by_power_of_two(exponential, 12)[counted].sum())
        inverse, over_unit = reciprocal(total, 12)
        quotient = divide_by_power_of_two(high_multiply(np.int64(inverse), exponential), over_unit + 31 - 8)
        to[:] = np.where(counted, np.minimum(quotient, 255), 0) + form.lowest
    return result.reshape(x.shape)
