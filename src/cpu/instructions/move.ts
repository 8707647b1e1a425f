/** Data movement (Intel SDM 2A/2B: MOV MOVZX MOVSX MOVSXD CMOVcc XCHG BSWAP LEA XLAT CBW/CWDE/CDQE CWD/CDQ/CQO MOVNTI). */
import type { Builder, Condition, Operand } from "../builder.ts";
import { RAX, RBX, RDX, SCRATCH_A, SCRATCH_B } from "../state.ts";
import { CONDITIONS, opcodeText } from "./conditions.ts";
import { instruction } from "./define.ts";
import { segmentBase } from "./implicit.ts";

const movRows = [
  "88 /r   rm8, r8", "89 /r   rmv, rv", "8A /r   r8, rm8", "8B /r   rv, rmv",
  "A0   AL, moffs8", "A1   rAX, moffsv", "A2   moffs8, AL", "A3   moffsv, rAX",
  "B0+r   o8, i8", "B8+r   ov, iv", "C6 /0   rm8, i8", "C7 /0   rmv, iz",
];
instruction("mov", movRows, {}, (b, dst, src) => b.write(dst, b.read(src)));
instruction("movnti", ["NP 0F C3 /r   my, ry"], {}, (b, dst, src) => b.write(dst, b.read(src)));

instruction("movzx", ["0F B6 /r   rv, rm8", "0F B7 /r   rv, rm16"], {}, (b, dst, src) => {
  const x = b.read(src);
  b.write(dst, x.width > dst.width ? b.trunc(x, dst.width) : b.zext(x, dst.width));
});
instruction("movsx", ["0F BE /r   rv, rm8", "0F BF /r   rv, rm16"], {}, signExtend);
instruction("movsxd", ["REX.W 63 /r   r64, rm32", "63 /r   rv, rmv"], {}, signExtend);
function signExtend(b: Builder, dst: Operand, src: Operand): void {
  b.write(dst, b.sext(b.read(src), dst.width));
}

// The source is read and a 32-bit destination loses its upper half whether or not the condition holds.
CONDITIONS.forEach((name, code) => {
  instruction(`cmov${name}`, [`0F ${opcodeText(0x40, code)} /r   rv, rmv`], {}, (b, dst, src) => {
    const y = b.read(src), x = b.read(dst);
    b.write(dst, b.select(b.flags.condition(code as Condition), y, x));
  });
});

// 90 without REX.B is nop, not xchg eax, eax: it leaves the upper half of rax alone. The row stands first because the first match counts.
instruction("nop", ["90"], { withoutRexB: true }, () => {});
instruction("xchg", ["86 /r   rm8, r8", "87 /r   rmv, rv", "90+r   ov, rAX"], { lock: true }, (b, dst, src) => {
  const y = b.read(src), x = b.readModify(dst);
  b.write(dst, y);
  b.write(src, x);
});

instruction("bswap", ["0F C8+r   ov"], {}, (b, dst) => {
  const x = b.read(dst);
  // bswap of 16 bits is undefined (SDM 2A); processors swap the zero-extended 32 bits and keep the low half, which is 0.
  if (dst.width === 16) {
    b.write(dst, b.constant(16, 0));
    return;
  }
  const mask = (value: bigint) => b.constant(dst.width, value);
  const byteMask = dst.width === 32 ? 0x00ff00ffn : 0x00ff00ff00ff00ffn;
  const bytes = b.or(b.shl(b.and(x, mask(byteMask)), 8), b.and(b.shrU(x, 8), mask(byteMask)));
  if (dst.width === 32) {
    b.write(dst, b.rotl(bytes, 16));
    return;
  }
  const halfMask = 0x0000ffff0000ffffn;
  const halves = b.or(b.shl(b.and(bytes, mask(halfMask)), 16), b.and(b.shrU(bytes, 16), mask(halfMask)));
  b.write(dst, b.rotl(halves, 32));
});

instruction("lea", ["8D /r   rv, m"], {}, (b, dst, src) => b.write(dst, b.trunc(b.effectiveAddress(src), dst.width)));

instruction("xlat", ["D7   bx8"], {}, (b, table) => {
  const sum = b.add(b.reg(RBX, 64), b.zext(b.reg(RAX, 8), 64));
  const offset = b.select(b.isAddress32(), b.zext(b.trunc(sum, 32), 64), sum);
  b.setReg(RAX, b.loadAt(b.add(offset, segmentBase(b, table)), 8));
});

instruction("cbw", ["98   rAX"], {}, (b, dst) => b.write(dst, b.sext(b.reg(RAX, dst.width / 2), dst.width)));
instruction("cwd", ["99   rAX"], {}, (b, src) => b.setReg(RDX, b.trunc(b.shrS(b.read(src), src.width - 1), src.width)));

// Segment registers hold selectors that user mode may load; only the bases of FS and GS matter (cpu/system.ts).
instruction("mov", ["8C /r   rrv, sreg", "8C /r   m16, sreg"], {}, (b, dst, segment) => {
  b.setState(SCRATCH_B, b.registerNumber(segment), "i32.store");
  b.service("read_segment", 0);
  const selector = b.getState(SCRATCH_A, "i32.load16_u");
  b.write(dst, dst.width === 16 ? selector : b.zext(selector, dst.width));
});
/** lss, lfs, lgs: a far pointer into a segment register and a general one. */
for (const [name, opcode, segment] of [["lss", "B2", 2], ["lfs", "B4", 4], ["lgs", "B5", 5]] as const) {
  instruction(name, [`0F ${opcode} /r   rv, m`], {}, (b, dst, pointer) => {
    const address = b.linearAddress(pointer);
    const offset = b.loadAt(address, dst.width);
    const selector = b.loadAt(b.add(address, b.constant(64, dst.width / 8)), 16);
    b.setState(SCRATCH_A, b.zext(selector, 32), "i32.store");
    b.setState(SCRATCH_B, b.constant(32, segment), "i32.store");
    b.service("load_segment", 0);
    b.write(dst, offset);
  });
}
instruction("mov", ["8E /r   sreg, rm16"], {}, (b, segment, src) => {
  b.setState(SCRATCH_A, b.zext(b.read(src), 32), "i32.store");
  b.setState(SCRATCH_B, b.registerNumber(segment), "i32.store");
  b.service("load_segment", 0);
});
