"""Exponential, logarithm and normal tail as arithmetic alone, so that a compiler can vectorise.

numba from a package index has no vectorised library of these functions: calls to the scalar ones
cost five times as much. Everything here is `+ − × ÷`, selection, and bit patterns of integers, and
works in whatever loop it is inlined. It works uncompiled as well.

How the coefficients were found, in 45 digits: `exp` and `log` by interpolation at Chebyshev's nodes
(error within a factor of two of the best polynomial); the tail by linearised least squares of
P(x) − f(x)·Q(x) over 80 nodes, reweighted by the last Q and towards equal extremes (Lawson) until
its error no longer fell. They were then rounded to float64. Errors are relative to the true value;
`tests/oracles/test_pricing.py` measures them against 40 digits.

A changed coefficient reaches the cached kernels when their own files change: touch them too.
"""

from typing import Final

import numpy as np
from numba import njit

ROUNDING: Final = {"contract", "nsz"}
"""What compiled arithmetic may do: fuse a multiplication with an addition, ignore the sign of 0."""

inlined: Final = njit(inline="always", fastmath=ROUNDING, error_model="numpy")

DENSITY_AT_ZERO: Final = 0.3989422804014327
"""1/√(2π)."""

FARTHEST: Final = 38.0
"""Beyond it exp(−x²/2) is less than the smallest normal number."""

_LEAST_EXPONENT: Final = -708.0
_LOG2_E: Final = 1.4426950408889634
_LOG_2_HIGH: Final = 6.93147180369123816490e-01  # ends in 33 zero bits: its multiples are exact
_LOG_2_LOW: Final = 1.90821492927058770002e-10
_MAGIC: Final = 6755399441055744.0  # 1.5 · 2⁵²: what is added to it is rounded to an integer
_MAGIC_BITS: Final = np.int64(0x4338000000000000)
_MANTISSA_BITS: Final = np.int64(52)
_HALF_OCTAVE: Final = np.int64(1 << 51)


@inlined
def _bits(x: float) -> np.int64:
    return np.float64(x).view(np.int64)


@inlined
def _number(bits: np.int64) -> np.float64:
    return np.int64(bits).view(np.float64)


@inlined
def exponential(x: float) -> float:
    """e^x within 4e-16, for |x| ≤ 708; farther out it stays at the value there.

    e^x = 2^k · e^r with |r| ≤ ln(2)/2, where a polynomial of degree 11 is within 4e-18.
    """
    bounded = min(max(x, _LEAST_EXPONENT), -_LEAST_EXPONENT)
    shifted = bounded * _LOG2_E + _MAGIC
    k = shifted - _MAGIC
    r = bounded - k * _LOG_2_HIGH - k * _LOG_2_LOW
    p = 2.5110037721946562e-08
    p = p * r + 2.7632639789868395e-07
    p = p * r + 2.7557240918265525e-06
    p = p * r + 2.480148548192088e-05
    p = p * r + 0.00019841269890047406
    p = p * r + 0.0013888888952315155
    p = p * r + 0.008333333333319601
    p = p * r + 0.04166666666648809
    p = p * r + 0.1666666666666668
    p = p * r + 0.5000000000000019
    p = p * r + 1.0
    p = p * r + 1.0
    return _number(_bits(p) + (_bits(shifted) << _MANTISSA_BITS))


@inlined
def logarithm_of_ratio(x: float, y: float) -> float:
    """ln(x/y) within 6e-16, of positive normal numbers.

    y is scaled by the power of two that brings x/y within 2/3 and 3/2; then ln = 2·artanh(s) with
    s = (x − y)/(x + y), |s| ≤ 1/5, in which x − y is exact where x is near y. Of artanh(s)/s as a
    polynomial of degree 7 in s² the error is 2e-17.
    """
    bits_of_y = _bits(y)
    octaves = (_bits(x) - bits_of_y + _HALF_OCTAVE) >> _MANTISSA_BITS
    scaled = _number(bits_of_y + (octaves << _MANTISSA_BITS))
    s = (x - scaled) / (x + scaled)
    u = s * s
    p = 0.15387002998272473
    p = p * u + 0.15247352914447826
    p = p * u + 0.18186527068251934
    p = p * u + 0.22222133251303575
    p = p * u + 0.2857142948152904
    p = p * u + 0.3999999999543685
    p = p * u + 0.6666666666667537
    p = p * u + 2.0
    k = _number(octaves + _MAGIC_BITS) - _MAGIC
    return s * p + k * _LOG_2_LOW + k * _LOG_2_HIGH


@inlined
def tail_numerator(x: float) -> float:
    """P(x) of `scaled_tail`."""
    p = 1.3732260914347245e-06
    p = p * x + 3.697416960354844e-05
    p = p * x + 0.00048733596448554165
    p = p * x + 0.004068013849330781
    p = p * x + 0.023522176810279967
    p = p * x + 0.09737131975567226
    p = p * x + 0.28860199624436234
    p = p * x + 0.593023650755165
    p = p * x + 0.7741683584943662
    return p * x + 0.5


@inlined
def tail_denominator(x: float) -> float:
    """Q(x) of `scaled_tail`."""
    q = 3.4421673482626712e-06
    q = q * x + 9.26804989569337e-05
    q = q * x + 0.0012250122753864545
    q = q * x + 0.01028967902339138
    q = q * x + 0.06017603969447026
    q = q * x + 0.2540853285462004
    q = q * x + 0.7799708117436852
    q = q * x + 1.7110922795041852
    q = q * x + 2.5580610352877162
    q = q * x + 2.346221277791588
    return q * x + 1.0


@inlined
def scaled_tail(x: float) -> float:
    """e^(x²/2)·N(−x), the normal tail over its density's shape, within 8e-16 for 0 ≤ x ≤ 38.

    P(x)/Q(x) of degrees 9 and 10, all coefficients positive, so that nothing cancels; of the
    fraction itself the error is 5.2e-17. Two tails can share one division: see `kernel.py`.
    """
    return tail_numerator(x) / tail_denominator(x)
