/** User and group ids (credentials(7), setuid(2), setresuid(2), getgroups(2), capget(2)). Effective root may do everything. */
import { EFAULT, EINVAL, EPERM, ESRCH } from "../../abi/linux/errno.ts";
import type { Call } from "../call.ts";
import { isPrivileged, type Credentials } from "../credentials.ts";
import { full, id, int, partial, ptr, structOut, sys, type Row } from "./define.ts";

const NONE = 0xffff_ffff;
const GROUPS_MAX = 65536;

const getuid = (call: Call): number => call.task.credentials.uid;
const geteuid = (call: Call): number => call.task.credentials.euid;
const getgid = (call: Call): number => call.task.credentials.gid;
const getegid = (call: Call): number => call.task.credentials.egid;

function become(call: Call, changed: Partial<Credentials>): number {
  call.task.credentials = { ...call.task.credentials, ...changed };
  return 0;
}

function setuid(call: Call, uid: number): number {
  const own = call.task.credentials;
  if (uid === NONE) return -EINVAL;
  if (isPrivileged(own)) return become(call, { uid, euid: uid, suid: uid, fsuid: uid });
  if (uid !== own.uid && uid !== own.suid) return -EPERM;
  return become(call, { euid: uid, fsuid: uid });
}
function setgid(call: Call, gid: number): number {
  const own = call.task.credentials;
  if (gid === NONE) return -EINVAL;
  if (isPrivileged(own)) return become(call, { gid, egid: gid, sgid: gid, fsgid: gid });
  if (gid !== own.gid && gid !== own.sgid) return -EPERM;
  return become(call, { egid: gid, fsgid: gid });
}

function setreuid(call: Call, uid: number, euid: number): number {
  const own = call.task.credentials;
  const free = isPrivileged(own);
  if (uid !== NONE && !free && uid !== own.uid && uid !== own.euid) return -EPERM;
  if (euid !== NONE && !free && euid !== own.uid && euid !== own.euid && euid !== own.suid) return -EPERM;
  const real = uid === NONE ? own.uid : uid;
  const effective = euid === NONE ? own.euid : euid;
  // The saved id follows when the real one is set or the effective one leaves it (setreuid(2)).
  const saved = uid !== NONE || (euid !== NONE && euid !== own.uid) ? effective : own.suid;
  return become(call, { uid: real, euid: effective, suid: saved, fsuid: effective });
}
function setregid(call: Call, gid: number, egid: number): number {
  const own = call.task.credentials;
  const free = isPrivileged(own);
  if (gid !== NONE && !free && gid !== own.gid && gid !== own.egid) return -EPERM;
  if (egid !== NONE && !free && egid !== own.gid && egid !== own.egid && egid !== own.sgid) return -EPERM;
  const real = gid === NONE ? own.gid : gid;
  const effective = egid === NONE ? own.egid : egid;
  const saved = gid !== NONE || (egid !== NONE && egid !== own.gid) ? effective : own.sgid;
  return become(call, { gid: real, egid: effective, sgid: saved, fsgid: effective });
}

function setresuid(call: Call, uid: number, euid: number, suid: number): number {
  const own = call.task.credentials;
  const allowed = (wish: number): boolean => wish === NONE || isPrivileged(own) || wish === own.uid || wish === own.euid || wish === own.suid;
  if (!allowed(uid) || !allowed(euid) || !allowed(suid)) return -EPERM;
  const effective = euid === NONE ? own.euid : euid;
  return become(call, { uid: uid === NONE ? own.uid : uid, euid: effective, suid: suid === NONE ? own.suid : suid, fsuid: effective });
}
function setresgid(call: Call, gid: number, egid: number, sgid: number): number {
  const own = call.task.credentials;
  const allowed = (wish: number): boolean => wish === NONE || isPrivileged(own) || wish === own.gid || wish === own.egid || wish === own.sgid;
  if (!allowed(gid) || !allowed(egid) || !allowed(sgid)) return -EPERM;
  const effective = egid === NONE ? own.egid : egid;
  return become(call, { gid: gid === NONE ? own.gid : gid, egid: effective, sgid: sgid === NONE ? own.sgid : sgid, fsgid: effective });
}

function storeThree(call: Call, addresses: readonly number[], values: readonly number[]): number {
  for (let index = 0; index < 3; index++) {
    const stored = call.writeU32(addresses[index], values[index]);
    if (stored < 0) return stored;
  }
  return 0;
}
function getresuid(call: Call, uid: number, euid: number, suid: number): number {
  const own = call.task.credentials;
  return storeThree(call, [uid, euid, suid], [own.uid, own.euid, own.suid]);
}
function getresgid(call: Call, gid: number, egid: number, sgid: number): number {
  const own = call.task.credentials;
  return storeThree(call, [gid, egid, sgid], [own.gid, own.egid, own.sgid]);
}

/** The previous id is the result, whether or not it changed (setfsuid(2)). */
function setfsuid(call: Call, uid: number): number {
  const own = call.task.credentials;
  if (uid !== NONE && (isPrivileged(own) || [own.uid, own.euid, own.suid, own.fsuid].includes(uid))) become(call, { fsuid: uid });
  return own.fsuid;
}
function setfsgid(call: Call, gid: number): number {
  const own = call.task.credentials;
  if (gid !== NONE && (isPrivileged(own) || [own.gid, own.egid, own.sgid, own.fsgid].includes(gid))) become(call, { fsgid: gid });
  return own.fsgid;
}

function getgroups(call: Call, count: number, address: number): number {
  const { groups } = call.task.credentials;
  if (count < 0) return -EINVAL;
  if (count === 0) return groups.length;
  if (count < groups.length) return -EINVAL;
  const bytes = new Uint8Array(groups.length * 4);
  const view = new DataView(bytes.buffer);
  groups.forEach((group, index) => view.setUint32(index * 4, group, true));
  const stored = call.copyOut(address, bytes);
  return stored < 0 ? stored : groups.length;
}

function setgroups(call: Call, count: number, address: number): number {
  if (!isPrivileged(call.task.credentials)) return -EPERM;
  if (count < 0 || count > GROUPS_MAX) return -EINVAL;
  const bytes = new Uint8Array(count * 4);
  const read = call.copyIn(address, bytes);
  if (read < 0) return read;
  const view = new DataView(bytes.buffer);
  return become(call, { groups: Array.from({ length: count }, (_unused, index) => view.getUint32(index * 4, true)).sort((a, b) => a - b) });
}

// Capabilities: all of them for effective root, none for others --------------------------------------------------------

const CAPABILITY_VERSION_1 = 0x1998_0330, CAPABILITY_VERSION_2 = 0x2007_1026, CAPABILITY_VERSION_3 = 0x2008_0522;
/** CAP_LAST_CAP is 40: all 41 bits, low and high word. */
const ALL_LOW = 0xffff_ffff, ALL_HIGH = 0x1ff;

/** The version's number of 32-bit sets, or -EINVAL after the preferred version was stored (capget(2)). */
function capabilitySets(call: Call, header: number): number {
  const version = call.readU32(header);
  if (version < 0) return version;
  if (version === CAPABILITY_VERSION_1) return 1;
  if (version === CAPABILITY_VERSION_2 || version === CAPABILITY_VERSION_3) return 2;
  const stored = call.writeU32(header, CAPABILITY_VERSION_3);
  return stored < 0 ? stored : -EINVAL;
}

function capget(call: Call, header: number, data: number): number {
  const sets = capabilitySets(call, header);
  // A probe for the version only.
  if (sets === -EINVAL && data === 0) return 0;
  if (sets < 0) return sets;
  const pid = call.readU32(header + 4);
  if (pid < 0) return pid;
  const task = pid === 0 ? call.task : call.kernel.findTask(pid | 0);
  if ((pid | 0) < 0) return -EINVAL;
  if (task === undefined) return -ESRCH;
  if (data === 0) return 0;
  const { scratch } = call;
  const root = isPrivileged(task.credentials);
  for (let index = 0; index < sets; index++) {
    const bits = root ? (index === 0 ? ALL_LOW : ALL_HIGH) : 0;
    scratch.setUint32(index * 12, bits, true);
    scratch.setUint32(index * 12 + 4, bits, true);
    scratch.setUint32(index * 12 + 8, 0, true);
  }
  return call.store(data, sets * 12);
}

/** Capabilities are all or nothing here: the set one has can be set again, any other is refused. */
function capset(call: Call, header: number, data: number): number {
  const sets = capabilitySets(call, header);
  if (sets < 0) return sets;
  const pid = call.readU32(header + 4);
  if (pid < 0) return pid;
  if (pid !== 0 && pid !== call.task.tid) return -EPERM;
  if (data === 0) return -EFAULT;
  const read = call.fetch(data, sets * 12);
  if (read < 0) return read;
  const root = isPrivileged(call.task.credentials);
  for (let index = 0; index < sets; index++) {
    const bits = root ? (index === 0 ? ALL_LOW : ALL_HIGH) : 0;
    if (call.scratch.getUint32(index * 12, true) !== bits || call.scratch.getUint32(index * 12 + 4, true) !== bits) return -EPERM;
  }
  return 0;
}

const idOut = structOut(4, (data) => `[${data.getUint32(0, true)}]`);

export const credentialCalls: readonly Row[] = [
  sys("getuid", {}, getuid, full),
  sys("geteuid", {}, geteuid, full),
  sys("getgid", {}, getgid, full),
  sys("getegid", {}, getegid, full),
  sys("setuid", { uid: id }, setuid, full),
  sys("setgid", { gid: id }, setgid, full),
  sys("setreuid", { ruid: id, euid: id }, setreuid, full),
  sys("setregid", { rgid: id, egid: id }, setregid, full),
  sys("setresuid", { ruid: id, euid: id, suid: id }, setresuid, full),
  sys("setresgid", { rgid: id, egid: id, sgid: id }, setresgid, full),
  sys("getresuid", { ruid: idOut, euid: idOut, suid: idOut }, getresuid, full),
  sys("getresgid", { rgid: idOut, egid: idOut, sgid: idOut }, getresgid, full),
  sys("setfsuid", { fsuid: id }, setfsuid, full),
  sys("setfsgid", { fsgid: id }, setfsgid, full),
  sys("getgroups", { size: int, list: ptr }, getgroups, full),
  sys("setgroups", { size: int, list: ptr }, setgroups, full),
  sys("capget", { hdrp: ptr, datap: ptr }, capget, partial("root has all capabilities, others none")),
  sys("capset", { hdrp: ptr, datap: ptr }, capset, partial("only the present set is accepted")),
];
