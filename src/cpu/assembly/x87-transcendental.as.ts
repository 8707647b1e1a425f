/** F2XM1 FYL2X FYL2XP1 FSIN FCOS FSINCOS FPTAN FPATAN.
 *
 *  Values are computed with 128-bit significands and rounded once, in the direction of the control word, so results are correctly
 *  rounded but for about one in 2^50 cases: well within the manual's bound of one unit in the last place (Intel SDM 1, 8.3.10).
 *  Trigonometric operands are reduced with the 66-bit pi that the manual documents (8.3.8), exactly. Special cases are the manual's;
 *  a result that is neither zero, infinite, NaN nor one of the operands is reported inexact, and tiny when it is, as hardware does. */
import { INVALID, PRECISION, raise, UNDERFLOW, ZERO_DIVIDE } from "./environment.as";
import { exponent, high, low, normalize, setReal, sign, TOP_BIT } from "./real.as";
import { productLow, multiplyWide } from "./wide.as";
import { add128, divide128, fixedLow, multiply128, multiplyFixed, toFixed } from "./wide-real.as";
import {
  BIAS, exponentOf80, isDenormal80, isInfinite80, isZero80, LEAST, noteDenormal80, pack80, propagateOne, propagateTwo, setInfinity,
  setInvalid, setResult, setZero, significand, significandOf80, signExponent, signOf80,
} from "./x87-format.as";
import {
  beginX87, C2, checkPush, copyToResult, endX87, isEmpty, mayProceed, pop, pushResult, setStatusBits, significandAt, signExponentAt,
  statusBits, storeResult, underflowStack,
} from "./x87-stack.as";
import {
  ARCTANGENTS, COSINE_STEPS, LN_2_HIGH, LN_2_LOW, ODD_RECIPROCALS, PI_66_HIGH, PI_66_LOW, PI_HIGH, PI_LOW, RECIPROCALS, SINE_STEPS,
  SQRT_2, TWO_LOG2_E_HIGH, TWO_LOG2_E_LOW,
} from "./x87-tables.as";

/** Rounds the number in real.ts into the result, with sign `s`, as an inexact one. */
function packInexact(s: i32): void {
  setReal(s, exponent, high, low);
  const tiny = exponent < LEAST - 1;
  pack80(64);
  raise(tiny ? UNDERFLOW | PRECISION : PRECISION);
}

// ---- 2^x - 1 -----------------------------------------------------------------------------------------------------------------

export function x87_exp2m1(): void {
  beginX87();
  if (isEmpty(0)) underflowStack();
  else exp2m1(significandAt(0), signExponentAt(0));
  if (endX87()) storeResult(0);
}

function exp2m1(m: u64, se: i32): void {
  if (propagateOne(m, se)) return;
  const s = signOf80(se);
  setResult(m, se);
  if (isZero80(m, se)) return;
  if (isInfinite80(m, se)) {
    if (s != 0) setResult(TOP_BIT, 0x8000 | BIAS);
    return;
  }
  noteDenormal80(m, se);
  if (!mayProceed()) return;
  const e = exponentOf80(m, se);
  if (e >= 0) {
    // ±1 are exact; beyond, the manual leaves the result undefined, and processors give the operand back.
    raise(PRECISION);
    if (e == 0 && m == TOP_BIT && s != 0) setResult(TOP_BIT, 0x8000 | (BIAS - 1));
    return;
  }
  // e^y - 1 = 2 y v, where v = 1/2 + y/2! /… in nested form and y = x ln 2 (|y| < 0.7, so v stays within (1/4, 3/4)).
  multiply128(e, significandOf80(m), 0, -1, LN_2_HIGH, LN_2_LOW);
  const ey = exponent, yh = high, yl = low;
  const fh = toFixed(), fl = fixedLow;
  let vh: u64 = TOP_BIT, vl: u64 = 0;
  for (let k = 34; k >= 2; k--) {
    const step = RECIPROCALS + ((k - 1) << 4);
    let h = multiplyFixed(fh, fl, load<u64>(step), load<u64>(step, 8));
    h = multiplyFixed(h, fixedLow, vh, vl);
    if (s == 0) {
      vl = fixedLow;
      vh = TOP_BIT + h;
    } else {
      vl = 0 - fixedLow;
      vh = TOP_BIT - h - (fixedLow != 0 ? 1 : 0);
    }
  }
  setReal(0, -1, vh, vl);
  normalize();
  multiply128(ey + 1, yh, yl, exponent, high, low);
  packInexact(s);
}

// ---- y · log2(x) -------------------------------------------------------------------------------------------------------------

export function x87_log2x(): void {
  beginX87();
  if (isEmpty(0) || isEmpty(1)) underflowStack();
  else log2x(significandAt(0), signExponentAt(0), significandAt(1), signExponentAt(1));
  if (!endX87()) return;
  storeResult(1);
  pop();
}

function log2x(mx: u64, sex: i32, my: u64, sey: i32): void {
  if (propagateTwo(mx, sex, my, sey)) return;
  const s = signOf80(sey), zeroY = isZero80(my, sey), infiniteY = isInfinite80(my, sey);
  if (isZero80(mx, sex)) {
    if (zeroY) {
      setInvalid();
    } else {
      if (!infiniteY) raise(ZERO_DIVIDE);
      setInfinity(s ^ 1);
    }
    return;
  }
  const one = mx == TOP_BIT && sex == BIAS;
  if (signOf80(sex) != 0 || (isInfinite80(mx, sex) && zeroY) || (one && infiniteY)) {
    setInvalid();
    return;
  }
  noteDenormal80(mx, sex);
  noteDenormal80(my, sey);
  const below = exponentOf80(mx, sex) < 0 ? 1 : 0;
  if (isInfinite80(mx, sex)) setInfinity(s);
  else if (infiniteY) setInfinity(s ^ below);
  else if (zeroY || one) setZero(s ^ (one ? 0 : below));
  else if (mayProceed()) {
    const negative = log2(exponentOf80(mx, sex), significandOf80(mx), 0);
    multiply128(exponent, high, low, exponentOf80(my, sey), significandOf80(my), 0);
    packInexact(s ^ negative);
  }
}

export function x87_log2p1(): void {
  beginX87();
  if (isEmpty(0) || isEmpty(1)) underflowStack();
  else log2p1(significandAt(0), signExponentAt(0), significandAt(1), signExponentAt(1));
  if (!endX87()) return;
  storeResult(1);
  pop();
}

/** y · log2(1 + x). The manual defines it for |x| < 1 - 1/√2; we go on above, and give x back at -1 and below, as processors do. */
function log2p1(mx: u64, sex: i32, my: u64, sey: i32): void {
  if (propagateTwo(mx, sex, my, sey)) return;
  const sx = signOf80(sex), s = sx ^ signOf80(sey), zeroY = isZero80(my, sey), infiniteY = isInfinite80(my, sey);
  if (isInfinite80(mx, sex) && (sx != 0 || zeroY)) {
    setInvalid();
    return;
  }
  if (isZero80(mx, sex) && infiniteY) {
    setInvalid();
    return;
  }
  noteDenormal80(mx, sex);
  noteDenormal80(my, sey);
  if (isInfinite80(mx, sex) || infiniteY) {
    setInfinity(s);
    return;
  }
  if (isZero80(mx, sex) || zeroY) {
    setZero(s);
    return;
  }
  if (!mayProceed()) return;
  const ex = exponentOf80(mx, sex), nx = significandOf80(mx);
  if (sx != 0 && ex >= 0) {
    setResult(mx, sex);
    raise(PRECISION);
    return;
  }
  let negative = sx;
  if (ex < -2) {
    add128(0, 1, TOP_BIT, 0, sx, ex, nx, 0);
    divide128(ex, nx, 0, exponent, high, low);
    log2OfRatio();
  } else {
    add128(0, 0, TOP_BIT, 0, sx, ex, nx, 0);
    negative = log2(exponent, high, low);
  }
  multiply128(exponent, high, low, exponentOf80(my, sey), significandOf80(my), 0);
  packInexact(signOf80(sey) ^ negative);
}

/** |log2 x| into real.ts for x > 0, x ≠ 1 (for x = 1, zero in high); returns 1 when it is negative.
 *  x = 2^k m with m in [1/√2, √2): log2 x = k + (2/ln 2) atanh((m - 1)/(m + 1)). */
function log2(e: i32, h: u64, l: u64): i32 {
  let k = e, em = 0;
  if (h >= SQRT_2) {
    k++;
    em = -1;
  }
  if (!add128(0, em, h, l, 1, 0, TOP_BIT, 0)) {
    // m = 1: the logarithm is k.
    setReal(0, 63, <u64>(k < 0 ? -k : k), 0);
    normalize();
    return k < 0 ? 1 : 0;
  }
  const negative = sign, ed = exponent, dh = high, dl = low;
  add128(0, em, h, l, 0, 0, TOP_BIT, 0);
  divide128(ed, dh, dl, exponent, high, low);
  log2OfRatio();
  if (k == 0) return negative;
  const ef = exponent, fh = high, fl = low;
  setReal(0, 63, <u64>(k < 0 ? -k : k), 0);
  normalize();
  add128(k < 0 ? 1 : 0, exponent, high, low, negative, ef, fh, fl);
  return sign;
}

/** (2/ln 2) · atanh(q) for the positive q in real.ts, at most 0.172: q · c · (1 + q²/3 + q⁴/5 + …). */
function log2OfRatio(): void {
  const eq = exponent, qh = high, ql = low;
  let h = toFixed();
  const wh = multiplyFixed(h, fixedLow, h, fixedLow), wl = fixedLow;
  let ph: u64 = 0, pl: u64 = 0;
  for (let k = 26; k >= 1; k--) {
    // p = w · (1/(2k+1) + p)
    const term = ODD_RECIPROCALS + (k << 4);
    const l = pl + load<u64>(term, 8);
    h = ph + load<u64>(term) + (l < pl ? 1 : 0);
    ph = multiplyFixed(wh, wl, h, l);
    pl = fixedLow;
  }
  multiply128(eq, qh, ql, 1, TWO_LOG2_E_HIGH, TWO_LOG2_E_LOW);
  const e = exponent, th = high, tl = low;
  setReal(0, -1, ph, pl);
  if (!normalize()) {
    setReal(0, e, th, tl);
    return;
  }
  multiply128(e, th, tl, exponent, high, low);
  add128(0, e, th, tl, 0, exponent, high, low);
}

// ---- sin, cos, tan -----------------------------------------------------------------------------------------------------------

/** Quadrant of the last {@link reduceAngle}, 0…3; its rest r, |r| ≤ pi/4, is in real.ts (high 0 when r is zero). */
let quadrant: i32 = 0;

/** |x| = quadrant · pi/2 + r (exactly, pi being the 66-bit one), for |x| < 2^63. */
function reduceAngle(e: i32, m: u64): void {
  quadrant = 0;
  setReal(0, e, m, 0);
  if (e < -1) return;
  // In units of 2^-65 pi/2 is the integer PI_66 and x is m · 2^(e+2).
  let rh: u64 = 0, rl = m;
  for (let i = e + 2; i > 0; i--) {
    rh = (rh << 1) | (rl >> 63);
    rl <<= 1;
    quadrant <<= 1;
    if (rh > PI_66_HIGH || (rh == PI_66_HIGH && rl >= PI_66_LOW)) {
      rh -= PI_66_HIGH + (rl < PI_66_LOW ? 1 : 0);
      rl -= PI_66_LOW;
      quadrant |= 1;
    }
  }
  // Take the nearer multiple: pi/2 - r when that is smaller.
  const oh = PI_66_HIGH - rh - (PI_66_LOW < rl ? 1 : 0), ol = PI_66_LOW - rl;
  let s = 0;
  if (oh < rh || (oh == rh && ol < rl)) {
    rh = oh;
    rl = ol;
    quadrant++;
    s = 1;
  }
  quadrant &= 3;
  setReal(s, 62, rh, rl);
  normalize();
}

/** 1 - z c₁ (1 - z c₂ (1 - …)) as a fixed number, z fixed. */
function alternatingSeries(zh: u64, zl: u64, steps: usize): u64 {
  let uh: u64 = u64.MAX_VALUE, ul: u64 = u64.MAX_VALUE;
  for (let k = 16; k >= 0; k--) {
    const step = steps + (<usize>k << 4);
    const h = multiplyFixed(zh, zl, load<u64>(step), load<u64>(step, 8));
    uh = ~multiplyFixed(h, fixedLow, uh, ul);
    ul = ~fixedLow;
  }
  fixedSeriesLow = ul;
  return uh;
}
let fixedSeriesLow: u64 = 0;

/** sin r of the r given, into real.ts. r is small enough that a tiny one needs no series. */
function sineOf(s: i32, e: i32, h: u64, l: u64): void {
  setReal(0, e, h, l);
  const f = toFixed();
  const zh = multiplyFixed(f, fixedLow, f, fixedLow);
  const uh = alternatingSeries(zh, fixedLow, SINE_STEPS);
  setReal(0, -1, uh, fixedSeriesLow);
  normalize();
  multiply128(e, h, l, exponent, high, low);
  setReal(s, exponent, high, low);
}

function cosineOf(e: i32, h: u64, l: u64): void {
  setReal(0, e, h, l);
  const f = toFixed();
  const zh = multiplyFixed(f, fixedLow, f, fixedLow);
  const uh = alternatingSeries(zh, fixedLow, COSINE_STEPS);
  setReal(0, -1, uh, fixedSeriesLow);
  normalize();
}

/** sin (q = 0) or cos (q = 1) of x from the reduced angle (s, e, h, l) in `quadrant`, into the result with sign flipped by `flip`. */
function packSine(q: i32, s: i32, e: i32, h: u64, l: u64, flip: i32): void {
  const turn = q & 3;
  if ((turn & 1) == 0) {
    // The 66-bit pi is no binary fraction of 64 bits, so r is never zero here.
    sineOf(s, e, h, l);
    packInexact(sign ^ (turn >> 1) ^ flip);
  } else {
    cosineOf(e, h, l);
    packInexact((turn >> 1) ^ flip);
  }
}

/** Operand checks that the four share. True when there is an angle to work with; else the result is final, or C2 has been set
 *  because |x| ≥ 2^63 (`outOfRange`). */
let outOfRange: bool = false;

function beginAngle(): void {
  beginX87();
  setStatusBits(statusBits() & ~C2);
  outOfRange = false;
}

function angle(m: u64, se: i32): bool {
  if (propagateOne(m, se)) return false;
  if (isInfinite80(m, se)) {
    setInvalid();
    return false;
  }
  setResult(m, se);
  if (isZero80(m, se)) return false;
  const e = exponentOf80(m, se);
  if (e >= 63) {
    outOfRange = true;
    setStatusBits(statusBits() | C2);
    return false;
  }
  noteDenormal80(m, se);
  return mayProceed();
}

export function x87_sin(): void {
  beginAngle();
  if (isEmpty(0)) underflowStack();
  else {
    const m = significandAt(0), se = signExponentAt(0);
    if (angle(m, se)) {
      reduceAngle(exponentOf80(m, se), significandOf80(m));
      packSine(quadrant, sign, exponent, high, low, signOf80(se));
    }
  }
  if (endX87()) storeResult(0);
}

export function x87_cos(): void {
  beginAngle();
  if (isEmpty(0)) underflowStack();
  else {
    const m = significandAt(0), se = signExponentAt(0);
    if (angle(m, se)) {
      reduceAngle(exponentOf80(m, se), significandOf80(m));
      packSine(quadrant + 1, sign, exponent, high, low, 0);
    } else if (isZero80(m, se)) {
      setResult(TOP_BIT, BIAS);
    }
  }
  if (endX87()) storeResult(0);
}

/** FSINCOS: ST(0) becomes the sine, then the cosine is pushed. */
export function x87_sincos(): void {
  twoResults(false);
}

/** FPTAN: ST(0) becomes the tangent, then 1 is pushed. */
export function x87_tan(): void {
  twoResults(true);
}

function twoResults(tangent: bool): void {
  beginAngle();
  let secondM: u64 = TOP_BIT, secondSE: i32 = BIAS;
  if (isEmpty(0)) {
    underflowStack();
    secondM = significand;
    secondSE = signExponent;
  } else if (!checkPush()) {
    secondM = significand;
    secondSE = signExponent;
  } else {
    const m = significandAt(0), se = signExponentAt(0);
    if (angle(m, se)) {
      reduceAngle(exponentOf80(m, se), significandOf80(m));
      const s = sign, e = exponent, h = high, l = low;
      if (tangent) {
        packTangent(signOf80(se), s, e, h, l);
      } else {
        packSine(quadrant + 1, s, e, h, l, 0);
        secondM = significand;
        secondSE = signExponent;
        packSine(quadrant, s, e, h, l, signOf80(se));
      }
    } else if (outOfRange) {
      endX87();
      return;
    } else if (!isZero80(m, se)) {
      secondM = significand;
      secondSE = signExponent;
    }
  }
  if (!endX87()) return;
  storeResult(0);
  setResult(secondM, secondSE);
  pushResult();
}

/** tan x = sin r / cos r in even quadrants, -cos r / sin r in odd ones. */
function packTangent(flip: i32, s: i32, e: i32, h: u64, l: u64): void {
  cosineOf(e, h, l);
  const ec = exponent, ch = high, cl = low;
  sineOf(0, e, h, l);
  if ((quadrant & 1) == 0) divide128(exponent, high, low, ec, ch, cl);
  else divide128(ec, ch, cl, exponent, high, low);
  packInexact(flip ^ s ^ (quadrant & 1));
}

// ---- atan(y/x) ---------------------------------------------------------------------------------------------------------------

/** FPATAN: ST(1) = the angle of (x = ST(0), y = ST(1)), then a pop. */
export function x87_atan(): void {
  beginX87();
  if (isEmpty(0) || isEmpty(1)) underflowStack();
  else arctangent(significandAt(1), signExponentAt(1), significandAt(0), signExponentAt(0));
  if (!endX87()) return;
  storeResult(1);
  pop();
}

function arctangent(my: u64, sey: i32, mx: u64, sex: i32): void {
  if (propagateTwo(mx, sex, my, sey)) return;
  noteDenormal80(mx, sex);
  noteDenormal80(my, sey);
  if (!mayProceed()) return;
  const s = signOf80(sey), left = signOf80(sex) != 0;
  const infiniteX = isInfinite80(mx, sex), infiniteY = isInfinite80(my, sey);
  if (isZero80(my, sey) || (infiniteX && !infiniteY)) {
    if (!left) {
      setZero(s);
    } else {
      setReal(0, 1, PI_HIGH, PI_LOW);
      packInexact(s);
    }
    return;
  }
  if (infiniteX) {
    // Both infinite: pi/4 or 3 pi/4.
    setReal(0, -1, PI_HIGH, PI_LOW);
    if (left) add128(0, -1, PI_HIGH, PI_LOW, 0, 0, PI_HIGH, PI_LOW);
    packInexact(s);
    return;
  }
  if (isZero80(mx, sex) || infiniteY) {
    setReal(0, 0, PI_HIGH, PI_LOW);
    packInexact(s);
    return;
  }
  const ex = exponentOf80(mx, sex), ey = exponentOf80(my, sey);
  const nx = significandOf80(mx), ny = significandOf80(my);
  const steep = ey > ex || (ey == ex && ny > nx);
  if (steep) arctangentOfRatio(ex, nx, ey, ny);
  else arctangentOfRatio(ey, ny, ex, nx);
  // Steep angles are measured from the y axis, those in the left half plane from the negative x axis.
  if (steep) add128(0, 0, PI_HIGH, PI_LOW, left ? 0 : 1, exponent, high, low);
  else if (left) add128(0, 1, PI_HIGH, PI_LOW, 1, exponent, high, low);
  packInexact(s);
}

/** atan(a/b) into real.ts, for 0 < a ≤ b with 64-bit significands: atan t = atan c + atan((t - c)/(1 + t c)) with c = i/16 near t,
 *  which leaves |(t - c)/(1 + t c)| ≤ 1/32 for the series. */
function arctangentOfRatio(ea: i32, na: u64, eb: i32, nb: u64): void {
  divide128(ea, na, 0, eb, nb, 0);
  const i = exponent < -6 ? 0 : <i32>((toFixed() + (1 << 59)) >> 60);
  // t rounds to 16/16 when the carry above is lost, and is 1 itself only when a = b.
  const index = exponent >= 0 || (i == 0 && exponent >= -1) ? 16 : i;
  let s = 0;
  if (index != 0) {
    // (16 a - i b) / (16 b + i a), with a and b as 128-bit integers on one scale; at most 6 + 5 bits above and 6 below are needed.
    const down = eb - ea;
    const bh = nb >> 8, bl = nb << 56;
    setReal(0, 0, na >> 8, na << 56);
    shiftDown(down);
    const ah = high, al = low;
    const scaledH = timesSmall(bh, bl, index), scaledL = smallLow;
    const sixteenH = timesSmall(ah, al, 16), sixteenL = smallLow;
    const denominatorH0 = timesSmall(bh, bl, 16), denominatorL0 = smallLow;
    const addH = timesSmall(ah, al, index), addL = smallLow;
    const denominatorL = denominatorL0 + addL;
    const denominatorH = denominatorH0 + addH + (denominatorL < addL ? 1 : 0);
    let nh: u64, nl: u64;
    if (sixteenH < scaledH || (sixteenH == scaledH && sixteenL < scaledL)) {
      s = 1;
      nl = scaledL - sixteenL;
      nh = scaledH - sixteenH - (scaledL < sixteenL ? 1 : 0);
    } else {
      nl = sixteenL - scaledL;
      nh = sixteenH - scaledH - (sixteenL < scaledL ? 1 : 0);
    }
    setReal(0, 0, denominatorH, denominatorL);
    normalize();
    const ed = exponent, dh = high, dl = low;
    setReal(0, 0, nh, nl);
    if (!normalize()) {
      loadArctangent(index);
      return;
    }
    divide128(exponent, high, low, ed, dh, dl);
  }
  arctangentSeries();
  if (index == 0) return;
  const e = exponent, h = high, l = low;
  loadArctangent(index);
  add128(0, exponent, high, low, s, e, h, l);
}

/** The ratio r in real.ts, at most 1/32, becomes r · (1 - r²/3 + r⁴/5 - …). */
function arctangentSeries(): void {
  const e = exponent, h = high, l = low;
  const f = toFixed();
  const zh = multiplyFixed(f, fixedLow, f, fixedLow), zl = fixedLow;
  let ph: u64 = 0, pl: u64 = 0;
  for (let k = 13; k >= 0; k--) {
    // p = 1/(2k+1) - z p
    const term = ODD_RECIPROCALS + (k << 4);
    const th = multiplyFixed(zh, zl, ph, pl), tl = fixedLow;
    const cl = load<u64>(term, 8);
    ph = load<u64>(term) - th - (cl < tl ? 1 : 0);
    pl = cl - tl;
  }
  setReal(0, -1, ph, pl);
  normalize();
  multiply128(e, h, l, exponent, high, low);
}

function loadArctangent(i: i32): void {
  setReal(0, -1, load<u64>(ARCTANGENTS + (i << 4)), load<u64>(ARCTANGENTS + (i << 4), 8));
  normalize();
}

/** Low half of the last {@link timesSmall}. */
let smallLow: u64 = 0;
function timesSmall(h: u64, l: u64, by: u64): u64 {
  const carry = multiplyWide(l, by);
  smallLow = productLow;
  return h * by + carry;
}

/** Shifts real.ts's high:low right by a few bits that are known to be zero. */
function shiftDown(n: i32): void {
  if (n == 0) return;
  setReal(0, 0, high >> n, (low >> n) | (high << (64 - n)));
}
