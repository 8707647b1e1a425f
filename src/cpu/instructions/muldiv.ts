/** Multiplication and division (Intel SDM 2A/2B: MUL IMUL DIV IDIV). SF, ZF, AF and PF are undefined after a multiplication and all
 *  flags after a division; a multiplication sets them as its low half says, a division leaves them. */
import type { Builder, Operand, Value } from "../builder.ts";
import { VECTOR_DE } from "../exit.ts";
import { RAX, RDX } from "../state.ts";
import { instruction } from "./define.ts";

/** Stores a product in AX, DX:AX, EDX:EAX or RDX:RAX. */
function setProduct(b: Builder, low: Value, high: Value): void {
  b.setReg(RAX, low);
  if (low.width === 8) b.setHighByte(RAX, high);
  else b.setReg(RDX, high);
}
/** CF and OF say that the low half does not hold the product. */
function productFlags(b: Builder, low: Value, lost: Value): void {
  b.flags.result(low);
  b.flags.setAdjustWord(b.constant(64, 0));
  b.flags.carry(lost);
  b.flags.overflow(lost);
}

instruction("mul", ["F6 /4   rm8", "F7 /4   rmv"], {}, (b, src) => {
  const { width } = src;
  const x = b.reg(RAX, width), y = b.read(src);
  let low: Value, high: Value;
  if (width === 64) {
    low = b.mul(x, y);
    high = b.mulHighU(x, y);
  } else {
    const product = b.mul(b.zext(x, 64), b.zext(y, 64));
    low = b.trunc(product, width);
    high = b.trunc(b.shrU(product, width), width);
  }
  setProduct(b, low, high);
  productFlags(b, low, b.isNonZero(high));
});

/** Low and high half of a signed product, and whether the low half alone is wrong. */
function signedProduct(b: Builder, x: Value, y: Value): { low: Value; high: Value; lost: Value } {
  const { width } = x;
  if (width === 64) {
    const low = b.mul(x, y), high = b.mulHighS(x, y);
    return { low, high, lost: b.ne(high, b.shrS(low, 63)) };
  }
  const product = b.mul(b.sext(x, 64), b.sext(y, 64));
  const low = b.trunc(product, width);
  return { low, high: b.trunc(b.shrU(product, width), width), lost: b.ne(b.sext(low, 64), product) };
}

instruction("imul", ["F6 /5   rm8", "F7 /5   rmv"], {}, (b, src) => {
  const { low, high, lost } = signedProduct(b, b.reg(RAX, src.width), b.read(src));
  setProduct(b, low, high);
  productFlags(b, low, lost);
});
instruction("imul", ["0F AF /r   rv, rmv"], {}, (b, dst, src) => multiplyInto(b, dst, b.read(dst), b.read(src)));
instruction("imul", ["69 /r   rv, rmv, iz", "6B /r   rv, rmv, is8"], {}, (b, dst, src, factor) => {
  multiplyInto(b, dst, b.read(src), b.read(factor));
});

function multiplyInto(b: Builder, dst: Operand, x: Value, y: Value): void {
  const { low, lost } = signedProduct(b, x, y);
  b.write(dst, low);
  productFlags(b, low, lost);
}

/** The dividend of a division narrower than 64 bits, in 64 bits: AX, DX:AX or EDX:EAX, zero- or sign-extended. */
function dividend(b: Builder, width: number, signed: "signed" | "unsigned"): Value {
  if (width === 8) return signed === "signed" ? b.sext(b.reg(RAX, 16), 64) : b.zext(b.reg(RAX, 16), 64);
  const high = signed === "signed" ? b.sext(b.reg(RDX, width), 64) : b.zext(b.reg(RDX, width), 64);
  return b.or(b.shl(high, width), b.zext(b.reg(RAX, width), 64));
}
function setQuotient(b: Builder, quotient: Value, remainder: Value): void {
  b.setReg(RAX, quotient);
  if (quotient.width === 8) b.setHighByte(RAX, remainder);
  else b.setReg(RDX, remainder);
}

/** high:low / divisor for divisor > high: quotient and remainder. The helper is called only when the dividend needs 128 bits. */
function divideWide(b: Builder, high: Value, low: Value, divisor: Value): { quotient: Value; remainder: Value } {
  const quotient = b.variable(b.constant(64, 0));
  b.if(
    b.isZero(high),
    () => b.set(quotient, b.divU(low, divisor)),
    () => b.set(quotient, b.helper("u128_divide", high, low, divisor)),
  );
  const q = b.get(quotient);
  return { quotient: q, remainder: b.sub(low, b.mul(q, divisor)) };
}

instruction("div", ["F6 /6   rm8", "F7 /6   rmv"], {}, (b, src) => {
  const divisor = b.read(src), { width } = src;
  if (width === 64) {
    const high = b.reg(RDX, 64);
    b.exceptionIf(b.leU(divisor, high), VECTOR_DE); // a zero divisor too
    const { quotient, remainder } = divideWide(b, high, b.reg(RAX, 64), divisor);
    setQuotient(b, quotient, remainder);
    return;
  }
  b.exceptionIf(b.isZero(divisor), VECTOR_DE);
  const n = dividend(b, width, "unsigned"), d = b.zext(divisor, 64);
  const quotient = b.divU(n, d);
  b.exceptionIf(b.isNonZero(b.shrU(quotient, width)), VECTOR_DE);
  setQuotient(b, b.trunc(quotient, width), b.trunc(b.remU(n, d), width));
});

instruction("idiv", ["F6 /7   rm8", "F7 /7   rmv"], {}, (b, src) => {
  const divisor = b.read(src), { width } = src;
  const minimum = b.constant(64, -(1n << 63n));
  if (width === 64) {
    const high = b.reg(RDX, 64), low = b.reg(RAX, 64);
    const negativeDividend = b.isNegative(high), negativeDivisor = b.isNegative(divisor);
    const magnitudeLow = b.select(negativeDividend, b.neg(low), low);
    const magnitudeHigh = b.select(negativeDividend, b.add(b.not(high), b.zext(b.isZero(low), 64)), high);
    const d = b.select(negativeDivisor, b.neg(divisor), divisor);
    b.exceptionIf(b.leU(d, magnitudeHigh), VECTOR_DE);
    const { quotient, remainder } = divideWide(b, magnitudeHigh, magnitudeLow, d);
    const negative = b.isNegative(b.xor(high, divisor));
    // The largest magnitude is 2^63 for a negative quotient and one less for a positive one.
    b.exceptionIf(b.ltU(b.select(negative, minimum, b.constant(64, (1n << 63n) - 1n)), quotient), VECTOR_DE);
    setQuotient(b, b.select(negative, b.neg(quotient), quotient), b.select(negativeDividend, b.neg(remainder), remainder));
    return;
  }
  b.exceptionIf(b.isZero(divisor), VECTOR_DE);
  const n = dividend(b, width, "signed"), d = b.sext(divisor, 64);
  // −2^63 / −1 has no 64-bit quotient, let alone a 32-bit one.
  b.exceptionIf(b.truth(b.and(b.eq(n, minimum), b.eq(d, b.constant(64, -1))).node), VECTOR_DE);
  const quotient = b.divS(n, d), low = b.trunc(quotient, width);
  b.exceptionIf(b.ne(b.sext(low, 64), quotient), VECTOR_DE);
  setQuotient(b, low, b.trunc(b.remS(n, d), width));
});
