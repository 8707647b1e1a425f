/** File modes, device numbers and the x86-64 layouts of struct stat, statx, statfs, linux_dirent64 and linux_dirent.
 *  Times are seconds and nanoseconds; sizes and inode numbers are exact integers below 2^53. */

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
export const PERMISSION_BITS = 0o7777;

export const DT_UNKNOWN = 0;
export const DT_FIFO = 1;
export const DT_CHR = 2;
export const DT_DIR = 4;
export const DT_BLK = 6;
export const DT_REG = 8;
export const DT_LNK = 10;
export const DT_SOCK = 12;
export const DT_WHT = 14;

/** DT_* for an S_IFMT type: Linux defines it as the type shifted down (IFTODT). */
export const direntType = (mode: number): number => (mode & S_IFMT) >> 12;

/** utimensat(2) nanosecond values with a meaning of their own. */
export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;

/** dev_t as user space sees it (makedev(3)): minor bits 0–7 and 20–31, major bits 8–19. Majors here are below 4096. */
export function makeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8)) + (minor >>> 8) * 0x10_0000;
}
export const deviceMajor = (device: number): number => (device >>> 8) & 0xfff;
export const deviceMinor = (device: number): number => (device & 0xff) | ((device >>> 12) & 0xfff00);

/** Everything stat(2) and statx(2) report about one file. */
export interface Stat {
  dev: number;
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number;
  blksize: number;
  /** In 512-byte units whatever blksize is. */
  blocks: number;
  atimeSeconds: number;
  atimeNanos: number;
  mtimeSeconds: number;
  mtimeNanos: number;
  ctimeSeconds: number;
  ctimeNanos: number;
  /** Creation time; statx only. */
  btimeSeconds: number;
  btimeNanos: number;
}

export function emptyStat(): Stat {
  return {
    dev: 0, ino: 0, mode: 0, nlink: 0, uid: 0, gid: 0, rdev: 0, size: 0, blksize: 4096, blocks: 0,
    atimeSeconds: 0, atimeNanos: 0, mtimeSeconds: 0, mtimeNanos: 0, ctimeSeconds: 0, ctimeNanos: 0,
    btimeSeconds: 0, btimeNanos: 0,
  };
}

export const STAT_BYTES = 144;

/** struct stat of x86-64 (asm/stat.h) at `offset`; all STAT_BYTES are written. */
export function writeStat(view: DataView, offset: number, stat: Stat): void {
  put64(view, offset, stat.dev);
  put64(view, offset + 8, stat.ino);
  put64(view, offset + 16, stat.nlink);
  view.setUint32(offset + 24, stat.mode, true);
  view.setUint32(offset + 28, stat.uid, true);
  view.setUint32(offset + 32, stat.gid, true);
  view.setUint32(offset + 36, 0, true);
  put64(view, offset + 40, stat.rdev);
  put64(view, offset + 48, stat.size);
  put64(view, offset + 56, stat.blksize);
  put64(view, offset + 64, stat.blocks);
  put64(view, offset + 72, stat.atimeSeconds);
  put64(view, offset + 80, stat.atimeNanos);
  put64(view, offset + 88, stat.mtimeSeconds);
  put64(view, offset + 96, stat.mtimeNanos);
  put64(view, offset + 104, stat.ctimeSeconds);
  put64(view, offset + 112, stat.ctimeNanos);
  for (let at = 120; at < STAT_BYTES; at += 8) put64(view, offset + at, 0);
}

export const STATX_BYTES = 256;
export const STATX_BASIC_STATS = 0x7ff;
export const STATX_BTIME = 0x800;
export const STATX_MNT_ID = 0x1000;
export const STATX_RESERVED = 0x80000000;
export const STATX_ATTR_MOUNT_ROOT = 0x2000;

/** struct statx (statx(2)). `mountId` and `mountRoot` describe the mount that the path ended on. */
export function writeStatx(view: DataView, offset: number, stat: Stat, mountId: number, mountRoot: boolean): void {
  for (let at = 0; at < STATX_BYTES; at += 8) put64(view, offset + at, 0);
  view.setUint32(offset, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, true);
  view.setUint32(offset + 4, stat.blksize, true);
  put64(view, offset + 8, mountRoot ? STATX_ATTR_MOUNT_ROOT : 0);
  view.setUint32(offset + 16, stat.nlink, true);
  view.setUint32(offset + 20, stat.uid, true);
  view.setUint32(offset + 24, stat.gid, true);
  view.setUint16(offset + 28, stat.mode, true);
  put64(view, offset + 32, stat.ino);
  put64(view, offset + 40, stat.size);
  put64(view, offset + 48, stat.blocks);
  put64(view, offset + 56, STATX_ATTR_MOUNT_ROOT);
  putStatxTime(view, offset + 64, stat.atimeSeconds, stat.atimeNanos);
  putStatxTime(view, offset + 80, stat.btimeSeconds, stat.btimeNanos);
  putStatxTime(view, offset + 96, stat.ctimeSeconds, stat.ctimeNanos);
  putStatxTime(view, offset + 112, stat.mtimeSeconds, stat.mtimeNanos);
  view.setUint32(offset + 128, deviceMajor(stat.rdev), true);
  view.setUint32(offset + 132, deviceMinor(stat.rdev), true);
  view.setUint32(offset + 136, deviceMajor(stat.dev), true);
  view.setUint32(offset + 140, deviceMinor(stat.dev), true);
  put64(view, offset + 144, mountId);
}

/** What statfs(2) reports about one filesystem. Blocks are in units of `blockSize`. */
export interface FileSystemStatus {
  type: number;
  blockSize: number;
  blocks: number;
  blocksFree: number;
  blocksAvailable: number;
  files: number;
  filesFree: number;
  nameLength: number;
  flags: number;
}
export const STATFS_BYTES = 120;
export const ST_RDONLY = 1;
export const ST_NOSUID = 2;
export const ST_NODEV = 4;
export const ST_NOEXEC = 8;
export const ST_VALID = 0x20;
export const ST_RELATIME = 0x1000;

/** Magic numbers of statfs(2)'s f_type. */
export const TMPFS_MAGIC = 0x01021994;
export const OVERLAYFS_MAGIC = 0x794c7630;
export const PROC_MAGIC = 0x9fa0;
export const EXT4_MAGIC = 0xef53;
export const PIPEFS_MAGIC = 0x50495045;
export const SOCKFS_MAGIC = 0x534f434b;
export const ANON_INODE_MAGIC = 0x09041934;
export const V9FS_MAGIC = 0x01021997;

/** struct statfs of x86-64 at `offset`; all STATFS_BYTES are written. */
export function writeStatfs(view: DataView, offset: number, status: FileSystemStatus): void {
  put64(view, offset, status.type);
  put64(view, offset + 8, status.blockSize);
  put64(view, offset + 16, status.blocks);
  put64(view, offset + 24, status.blocksFree);
  put64(view, offset + 32, status.blocksAvailable);
  put64(view, offset + 40, status.files);
  put64(view, offset + 48, status.filesFree);
  put64(view, offset + 56, 0);
  put64(view, offset + 64, status.nameLength);
  put64(view, offset + 72, status.blockSize);
  put64(view, offset + 80, status.flags | ST_VALID);
  for (let at = 88; at < STATFS_BYTES; at += 8) put64(view, offset + at, 0);
}

/** Bytes of a linux_dirent64 record for a name of `nameLength` bytes: header 19, NUL, rounded up to 8. */
export const dirent64Bytes = (nameLength: number): number => (19 + nameLength + 1 + 7) & ~7;

/** struct linux_dirent64 (getdents64(2)). `name` is a byte string. Returns the record's length. */
export function writeDirent64(view: DataView, offset: number, ino: number, cookie: number, type: number, name: string): number {
  const length = dirent64Bytes(name.length);
  put64(view, offset, ino);
  put64(view, offset + 8, cookie);
  view.setUint16(offset + 16, length, true);
  view.setUint8(offset + 18, type);
  for (let i = 0; i < name.length; i++) view.setUint8(offset + 19 + i, name.charCodeAt(i));
  for (let at = 19 + name.length; at < length; at++) view.setUint8(offset + at, 0);
  return length;
}

/** Bytes of the older linux_dirent record: header 18, NUL, type in the last byte, rounded up to 8. */
export const direntBytes = (nameLength: number): number => (18 + nameLength + 2 + 7) & ~7;

/** struct linux_dirent (getdents(2)): like linux_dirent64, but the type sits in the record's last byte. */
export function writeDirent(view: DataView, offset: number, ino: number, cookie: number, type: number, name: string): number {
  const length = direntBytes(name.length);
  put64(view, offset, ino);
  put64(view, offset + 8, cookie);
  view.setUint16(offset + 16, length, true);
  for (let i = 0; i < name.length; i++) view.setUint8(offset + 18 + i, name.charCodeAt(i));
  for (let at = 18 + name.length; at < length; at++) view.setUint8(offset + at, 0);
  view.setUint8(offset + length - 1, type);
  return length;
}

function put64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setInt32(offset + 4, Math.floor(value / 0x1_0000_0000), true);
}

function putStatxTime(view: DataView, offset: number, seconds: number, nanos: number): void {
  put64(view, offset, seconds);
  view.setUint32(offset + 8, nanos, true);
}
