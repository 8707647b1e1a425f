/** The texts of /proc itself: meminfo, cpuinfo, stat and the like (proc_meminfo(5), proc_stat(5), …). */
import type { Location, Mount } from "../vfs/location.ts";
import { pathOf } from "../vfs/location.ts";
import { escapeOctal, meminfoLine, seconds } from "./format.ts";
import type { SystemView } from "./view.ts";

export function meminfoText(system: SystemView): string {
  const m = system.memory;
  const rows: readonly (readonly [string, number])[] = [
    ["MemTotal", m.total], ["MemFree", m.free], ["MemAvailable", m.available], ["Buffers", 0], ["Cached", m.cached], ["SwapCached", 0],
    ["Active", m.anonymous], ["Inactive", m.cached], ["Active(anon)", m.anonymous], ["Inactive(anon)", m.shared], ["Active(file)", 0],
    ["Inactive(file)", m.cached - m.shared], ["Unevictable", 0], ["Mlocked", 0], ["SwapTotal", 0], ["SwapFree", 0], ["Zswap", 0], ["Zswapped", 0],
    ["Dirty", 0], ["Writeback", 0], ["AnonPages", m.anonymous], ["Mapped", m.mapped], ["Shmem", m.shared], ["KReclaimable", 0], ["Slab", 0],
    ["SReclaimable", 0], ["SUnreclaim", 0], ["KernelStack", m.kernelStacks], ["PageTables", m.pageTables], ["SecPageTables", 0],
    ["NFS_Unstable", 0], ["Bounce", 0], ["WritebackTmp", 0], ["CommitLimit", m.commitLimit], ["Committed_AS", m.committed],
    ["VmallocTotal", 34359738367 * 1024], ["VmallocUsed", 0], ["VmallocChunk", 0], ["Percpu", 0], ["AnonHugePages", 0], ["ShmemHugePages", 0],
    ["ShmemPmdMapped", 0], ["FileHugePages", 0], ["FilePmdMapped", 0],
  ];
  const counts = ["HugePages_Total", "HugePages_Free", "HugePages_Rsvd", "HugePages_Surp"];
  return (
    rows.map(([label, bytes]) => meminfoLine(label, Math.max(0, bytes))).join("") +
    counts.map((label) => `${`${label}:`.padEnd(16)}${"0".padStart(8)}\n`).join("") +
    meminfoLine("Hugepagesize", 2048 * 1024) + meminfoLine("Hugetlb", 0)
  );
}

export function cpuinfoText(system: SystemView): string {
  const cpu = system.cpu;
  let text = "";
  for (let index = 0; index < cpu.count; index++) {
    text += `processor\t: ${index}\nvendor_id\t: ${cpu.vendor}\ncpu family\t: ${cpu.family}\nmodel\t\t: ${cpu.model}\n`;
    text += `model name\t: ${cpu.modelName}\nstepping\t: ${cpu.stepping}\ncpu MHz\t\t: ${cpu.megahertz.toFixed(3)}\n`;
    text += `cache size\t: ${cpu.cacheKilobytes} KB\nphysical id\t: 0\nsiblings\t: ${cpu.count}\ncore id\t\t: ${index}\ncpu cores\t: ${cpu.count}\n`;
    text += `apicid\t\t: ${index}\ninitial apicid\t: ${index}\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\nwp\t\t: yes\n`;
    text += `flags\t\t: ${cpu.flags}\nbugs\t\t: \nbogomips\t: ${(cpu.megahertz * 2).toFixed(2)}\nclflush size\t: 64\ncache_alignment\t: 64\n`;
    text += "address sizes\t: 48 bits physical, 48 bits virtual\npower management:\n\n";
  }
  return text;
}

export function uptimeText(system: SystemView): string {
  return `${seconds(system.uptimeSeconds)} ${seconds(system.idleSeconds)}\n`;
}

export function loadText(system: SystemView): string {
  const [one, five, fifteen] = system.loadAverages;
  return `${one.toFixed(2)} ${five.toFixed(2)} ${fifteen.toFixed(2)} ${system.runnableThreads}/${system.threadCount} ${system.lastProcessId}\n`;
}

export function statText(system: SystemView): string {
  const ticks = `${system.userTicks} 0 ${system.systemTicks} ${system.idleTicks} 0 0 0 0 0 0`;
  let text = `cpu  ${ticks}\n`;
  for (let index = 0; index < system.cpu.count; index++) text += `cpu${index} ${index === 0 ? ticks : "0 0 0 0 0 0 0 0 0 0"}\n`;
  text += `intr 0\nctxt ${system.contextSwitches}\nbtime ${Math.floor(system.bootTimeSeconds)}\nprocesses ${system.processesCreated}\n`;
  return `${text}procs_running ${Math.max(1, system.runnableThreads)}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n`;
}

export function versionText(system: SystemView): string {
  const { sysname, release, version } = system.names;
  return `${sysname} version ${release} (menios) (gcc) ${version}\n`;
}

export const FILESYSTEMS_TEXT = ["tmpfs", "proc", "devtmpfs", "sockfs", "pipefs", "overlay", "9p"].map((name) => `nodev\t${name}\n`).join("");

/** What getmntent(3) needs escaped. */
const MOUNT_ESCAPES = " \t\n\\#";

/** /proc/<pid>/mounts: mounts reachable from `root`, oldest first. */
export function mountsText(mounts: readonly Mount[], root: Location): string {
  let text = "";
  for (const mount of mounts) {
    const path = mountPath(mount, root);
    if (path === null) continue;
    text += `${escapeOctal(mount.filesystem.source, MOUNT_ESCAPES)} ${escapeOctal(path, MOUNT_ESCAPES)} ${mount.filesystem.typeName} ${mountOptions(mount)} 0 0\n`;
  }
  return text;
}

/** /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). `device` is a mount's st_dev as "major:minor". */
export function mountInfoText(mounts: readonly Mount[], root: Location, device: (mount: Mount) => string): string {
  let text = "";
  for (const mount of mounts) {
    const path = mountPath(mount, root);
    if (path === null) continue;
    const parent = mount.point?.mount.id ?? mount.id;
    const access = mount.readOnly || mount.filesystem.readOnly ? "ro" : "rw";
    text += `${mount.id} ${parent} ${device(mount)} / ${escapeOctal(path, MOUNT_ESCAPES)} ${mountOptions(mount)} - ${mount.filesystem.typeName} `;
    text += `${escapeOctal(mount.filesystem.source, MOUNT_ESCAPES)} ${access}\n`;
  }
  return text;
}

function mountPath(mount: Mount, root: Location): string | null {
  const path = pathOf({ mount, dentry: mount.root }, root);
  return path.startsWith("/") ? path : null;
}

function mountOptions(mount: Mount): string {
  return mount.readOnly || mount.filesystem.readOnly ? "ro,relatime" : "rw,relatime";
}
