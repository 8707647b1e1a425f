/** /dev/null, zero, full, random and urandom (null(4), full(4), random(4)). */
import { ENOSPC } from "../../abi/linux/errno.ts";
import { makeDevice } from "../../abi/linux/stat.ts";
import type { FsContext } from "../context.ts";
import type { ByteSink, ByteSource } from "../transfer.ts";
import type { Inode } from "../vfs/inode.ts";
import type { Location } from "../vfs/location.ts";
import { OpenFile } from "../vfs/open-file.ts";
import { finished } from "../vfs/regular-file.ts";
import type { DeviceTable } from "./device-table.ts";

export const NULL_DEVICE = makeDevice(1, 3);
export const ZERO_DEVICE = makeDevice(1, 5);
export const FULL_DEVICE = makeDevice(1, 7);
export const RANDOM_DEVICE = makeDevice(1, 8);
export const URANDOM_DEVICE = makeDevice(1, 9);

/** Positions mean nothing here: every seek answers 0 and every offset is the same place. */
abstract class MemoryDevice extends OpenFile {
  override get seekable(): boolean {
    return true;
  }
  override seek(_offset: number, _whence: number): number {
    return 0;
  }
  protected override readFrom(sink: ByteSink, _offset: number): number {
    return this.readStream(sink);
  }
  protected override writeTo(source: ByteSource, _offset: number): number {
    return this.writeStream(source);
  }
  protected override writeStream(source: ByteSource): number {
    source.skip(source.remaining);
    return source.transferred;
  }
}

class NullFile extends MemoryDevice {
  protected override readStream(_sink: ByteSink): number {
    return 0;
  }
}

class ZeroFile extends MemoryDevice {
  protected override readStream(sink: ByteSink): number {
    return readZeros(sink);
  }
  override get mapsAsAnonymous(): boolean {
    return true;
  }
}

class FullFile extends MemoryDevice {
  protected override readStream(sink: ByteSink): number {
    return readZeros(sink);
  }
  protected override writeStream(_source: ByteSource): number {
    return -ENOSPC;
  }
}

class RandomFile extends MemoryDevice {
  private readonly context: FsContext;

  constructor(context: FsContext, inode: Inode, location: Location, flags: number) {
    super(inode, location, flags);
    this.context = context;
  }
  protected override readStream(sink: ByteSink): number {
    const chunk = new Uint8Array(Math.min(sink.remaining, RANDOM_CHUNK));
    while (sink.remaining > 0) {
      const length = Math.min(chunk.length, sink.remaining);
      this.context.random(chunk.subarray(0, length));
      if (sink.put(chunk, 0, length) < length) return finished(sink.stopped, sink.transferred);
    }
    return sink.transferred;
  }
  override get pollable(): boolean {
    return true;
  }
}

const RANDOM_CHUNK = 4096;

export function registerMemoryDevices(context: FsContext, devices: DeviceTable): void {
  devices.register(NULL_DEVICE, (inode, location, flags) => new NullFile(inode, location, flags));
  devices.register(ZERO_DEVICE, (inode, location, flags) => new ZeroFile(inode, location, flags));
  devices.register(FULL_DEVICE, (inode, location, flags) => new FullFile(inode, location, flags));
  for (const device of [RANDOM_DEVICE, URANDOM_DEVICE]) {
    devices.register(device, (inode, location, flags) => new RandomFile(context, inode, location, flags));
  }
}

function readZeros(sink: ByteSink): number {
  const wanted = sink.remaining;
  return sink.putZeros(wanted) < wanted ? finished(sink.stopped, sink.transferred) : sink.transferred;
}
