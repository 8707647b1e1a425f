/** A static program of one page, for tests: its code is whatever the test says, by default nothing that runs. */
export function program(...code: number[]): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(24, 0x40_0100n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setUint32(68, 7, true);
  view.setBigUint64(80, 0x40_0000n, true);
  view.setBigUint64(96, 4096n, true);
  view.setBigUint64(104, 4096n, true);
  bytes.set(code, 0x100);
  return bytes;
}
