/** Flags, no-operations, gates to the kernel, and what user mode may not do (Intel SDM 2A/2B).
 *  Rows with #GP exist because the default for unknown encodings is #UD. */
import type { Builder } from "../builder.ts";
import { VECTOR_BP, VECTOR_DB, VECTOR_GP, VECTOR_OF } from "../exit.ts";
import { RAX, SCRATCH_A, SCRATCH_B, SCRATCH_C } from "../state.ts";
import { instruction } from "./define.ts";

const nothing = (): void => {};
// Without REX.B: 41 90 is xchg r8, rax.
instruction("pause", ["F3 90"], { withoutRexB: true }, nothing);
// The hint space: multi-byte nop, prefetch, endbr64. Its memory operands are never accessed (SDM 2B, NOP).
for (const opcode of ["0D", "18", "19", "1A", "1B", "1C", "1D", "1E", "1F"]) instruction("nop", [`0F ${opcode} /r   rmv`], {}, nothing);
instruction("lfence", ["NP 0F AE /5   rr32"], {}, nothing);
instruction("mfence", ["NP 0F AE /6   rr32"], {}, nothing);
instruction("sfence", ["NP 0F AE /7   rr32"], {}, nothing);
// clflush is checked like a load of one byte.
instruction("clflush", ["NP 0F AE /7   m8"], {}, (b, line) => b.setState(SCRATCH_A, b.read(line), "i32.store8"));

instruction("cmc", ["F5"], {}, (b) => b.flags.carry(b.not(b.flags.isCarry())));
instruction("clc", ["F8"], {}, (b) => b.flags.setCarryWord(b.constant(64, 0)));
instruction("stc", ["F9"], {}, (b) => b.flags.setCarryWord(b.constant(64, -1)));
instruction("cld", ["FC"], {}, (b) => b.flags.setDirection(b.constant(1, 0)));
instruction("std", ["FD"], {}, (b) => b.flags.setDirection(b.constant(1, 1)));

/** AH = SF:ZF:0:AF:0:PF:1:CF. */
instruction("lahf", ["9F"], {}, (b) => {
  const { flags } = b;
  const at = (flag: ReturnType<typeof flags.isCarry>, bit: number) => b.shl(b.zext(flag, 32), bit);
  const high = b.or(b.or(at(flags.isSign(), 7), at(flags.isZero(), 6)), b.or(at(flags.isAdjust(), 4), at(flags.isParity(), 2)));
  b.setHighByte(RAX, b.trunc(b.or(b.or(high, b.constant(32, 2)), b.zext(flags.isCarry(), 32)), 8));
});
instruction("sahf", ["9E"], {}, (b) => {
  const image = b.zext(b.highByte(RAX), 32);
  const bit = (n: number) => b.isNonZero(b.and(image, b.constant(32, 1 << n)));
  b.flags.sign(bit(7));
  b.flags.zero(bit(6));
  b.flags.adjust(bit(4));
  b.flags.parity(bit(2));
  b.flags.carry(bit(0));
});

instruction("syscall", ["0F 05"], { endsBlock: true, exact: true }, (b) => b.syscall());
instruction("int3", ["CC"], { endsBlock: true }, (b) => b.trap(VECTOR_BP));
instruction("int1", ["F1"], { endsBlock: true }, (b) => b.trap(VECTOR_DB));
// Linux opens the gates 3, 4 and 0x80 to user mode; the others are #GP.
instruction("int", ["CD   i8"], { endsBlock: true, exact: true }, (b, vector) => {
  const n = b.zext(b.read(vector), 32);
  b.if(b.eq(n, b.constant(32, VECTOR_BP)), () => b.trap(VECTOR_BP));
  b.if(b.eq(n, b.constant(32, VECTOR_OF)), () => b.trap(VECTOR_OF));
  b.exceptionIf(b.ne(n, b.constant(32, 0x80)), VECTOR_GP);
  b.interrupt(vector);
});

instruction("cpuid", ["0F A2"], {}, (b) => b.service("cpuid", 0));
instruction("rdtsc", ["0F 31"], { exact: true }, (b) => b.service("rdtsc", 0));

/** Rights and limits of descriptors (cpu/system.ts has Linux's table): ZF says whether user mode can see the segment. */
for (const [name, opcode, kind] of [["lar", "02", 0], ["lsl", "03", 1]] as const) {
  instruction(name, [`0F ${opcode} /r   rv, rm16`], {}, (b, dst, selector) => {
    b.setState(SCRATCH_A, b.zext(b.read(selector), 32), "i32.store");
    b.service("describe_segment", kind);
    const visible = b.isNonZero(b.getState(SCRATCH_B, "i32.load"));
    b.if(visible, () => {
      const value = b.getState(SCRATCH_C, "i32.load");
      b.write(dst, dst.width === 64 ? b.zext(value, 64) : b.trunc(value, dst.width));
    });
    b.flags.zero(visible);
  });
}
for (const [name, digit, kind] of [["verr", 4, 2], ["verw", 5, 3]] as const) {
  instruction(name, [`0F 00 /${digit}   rm16`], {}, (b, selector) => {
    b.setState(SCRATCH_A, b.zext(b.read(selector), 32), "i32.store");
    b.service("describe_segment", kind);
    b.flags.zero(b.isNonZero(b.getState(SCRATCH_B, "i32.load")));
  });
}

/** Privileged instructions, port I/O, and the descriptor-table reads that UMIP forbids: #GP(0) in user mode. */
const privileged: Record<string, string[]> = {
  hlt: ["F4"], cli: ["FA"], sti: ["FB"], ins: ["6C", "6D"], outs: ["6E", "6F"],
  in: ["E4   i8", "E5   i8", "EC", "ED"], out: ["E6   i8", "E7   i8", "EE", "EF"],
  clts: ["0F 06"], sysret: ["0F 07"], invd: ["0F 08"], wbinvd: ["0F 09"], wrmsr: ["0F 30"], rdmsr: ["0F 32"], rdpmc: ["0F 33"],
  sysexit: ["0F 35"],
  sldt: ["0F 00 /0   rm16"], str: ["0F 00 /1   rm16"], lldt: ["0F 00 /2   rm16"], ltr: ["0F 00 /3   rm16"],
  sgdt: ["0F 01 /0   m"], sidt: ["0F 01 /1   m"], lgdt: ["0F 01 /2   m"], lidt: ["0F 01 /3   m"],
  smsw: ["0F 01 /4   rm16"], lmsw: ["0F 01 /6   rm16"], invlpg: ["0F 01 /7   m"], swapgs: ["0F 01 F8"],
};
const forbidden = (b: Builder): void => b.exception(VECTOR_GP);
for (const [name, rows] of Object.entries(privileged)) instruction(name, rows, {}, forbidden);
// CR1, CR5 to CR7 and what REX.R makes of these numbers do not exist: #UD.
const others = ["0F 20", "0F 22"].flatMap((opcode) => [2, 3, 4].map((n) => `${opcode} /${n}   rr64`));
instruction("mov cr", others, { withoutRexR: true, ignoresMod: true }, forbidden);
instruction("mov cr", ["0F 20 /0   rr64", "0F 22 /0   rr64"], { ignoresMod: true }, forbidden); // CR0, and with REX.R CR8
instruction("mov dr", ["0F 21 /r   rr64", "0F 23 /r   rr64"], { withoutRexR: true, ignoresMod: true }, forbidden);
