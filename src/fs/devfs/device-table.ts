/** Which driver serves a character device: opening a device node on any filesystem ends here (mknod(2)). */
import { ENXIO } from "../../abi/linux/errno.ts";
import type { Caller } from "../vfs/credentials.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Location } from "../vfs/location.ts";
import type { OpenFile } from "../vfs/open-file.ts";

/** Opens a node of the driver's device: an open file or -errno. */
export type DeviceDriver = (inode: Inode, location: Location, flags: number, caller: Caller) => OpenFile | number;

export class DeviceTable {
  private readonly characters = new Map<number, DeviceDriver>();

  /** @param device number as makeDevice gives it */
  register(device: number, driver: DeviceDriver): void {
    this.characters.set(device, driver);
  }

  /** -ENXIO when no driver has that number (open(2)). */
  open(device: number, inode: Inode, location: Location, flags: number, caller: Caller): OpenFile | number {
    const driver = this.characters.get(device);
    return driver === undefined ? -ENXIO : driver(inode, location, flags, caller);
  }
}
