/** Read-modify-write instructions made for locking (Intel SDM 2A/2B: XADD CMPXCHG CMPXCHG8B CMPXCHG16B).
 *  One processor runs one task at a time and every instruction completes, so each is atomic with or without the prefix. */
import { RAX, RBX, RCX, RDX } from "../state.ts";
import { VECTOR_GP } from "../exit.ts";
import { instruction } from "./define.ts";

instruction("xadd", ["0F C0 /r   rm8, r8", "0F C1 /r   rmv, rv"], { lock: true }, (b, dst, src) => {
  const y = b.read(src), x = b.readModify(dst), sum = b.add(x, y);
  if (dst.isMemory) {
    b.write(dst, sum);
    b.write(src, x);
  } else {
    b.write(src, x);
    b.write(dst, sum); // last: xadd of a register with itself doubles it
  }
  b.flags.add(x, y, sum);
});

// Memory is written whether or not the comparison succeeds; a register is touched only when it does, and rAX only when it does not.
instruction("cmpxchg", ["0F B0 /r   rm8, r8", "0F B1 /r   rmv, rv"], { lock: true }, (b, dst, src) => {
  const y = b.read(src), x = b.readModify(dst), accumulator = b.reg(RAX, dst.width);
  const equal = b.eq(accumulator, x);
  if (dst.isMemory) {
    b.write(dst, b.select(equal, y, x));
    b.if(b.not(equal), () => b.setReg(RAX, x));
  } else {
    b.if(
      equal,
      () => b.write(dst, y),
      () => b.setReg(RAX, x),
    );
  }
  b.flags.sub(accumulator, x, b.sub(accumulator, x));
});

for (const half of [64, 32] as const) {
  const [name, row] = half === 64 ? ["cmpxchg16b", "REX.W 0F C7 /1   m128"] : ["cmpxchg8b", "W0 0F C7 /1   m64"];
  instruction(name, [row], { lock: true }, (b, memory) => {
    const address = b.linearAddress(memory), next = b.add(address, b.constant(64, half / 8));
    if (half === 64) b.exceptionIf(b.isNonZero(b.and(b.trunc(address, 32), b.constant(32, 15))), VECTOR_GP);
    b.checkWritable(address, half / 4);
    const low = b.loadAt(address, half), high = b.loadAt(next, half);
    const equal = b.truth(b.and(b.eq(low, b.reg(RAX, half)), b.eq(high, b.reg(RDX, half))).node);
    b.storeAt(address, b.select(equal, b.reg(RBX, half), low));
    b.storeAt(next, b.select(equal, b.reg(RCX, half), high));
    b.if(b.not(equal), () => {
      b.setReg(RAX, low);
      b.setReg(RDX, high);
    });
    b.flags.zero(equal);
  });
}
