/** A file opened with O_PATH: a place and nothing else. Everything that would touch the file fails with EBADF (open(2)). */
import { EBADF } from "../../abi/linux/errno.ts";
import type { ByteSink, ByteSource } from "../transfer.ts";
import type { Caller } from "./credentials.ts";
import type { FilePages } from "./file-pages.ts";
import type { EmitEntry } from "./inode.ts";
import { type IoctlArgument, OpenFile } from "./open-file.ts";

export class PathFile extends OpenFile {
  override read(_sink: ByteSink): number {
    return -EBADF;
  }
  override write(_source: ByteSource): number {
    return -EBADF;
  }
  override readAt(_sink: ByteSink, _offset: number): number {
    return -EBADF;
  }
  override writeAt(_source: ByteSource, _offset: number): number {
    return -EBADF;
  }
  override seek(_offset: number, _whence: number): number {
    return -EBADF;
  }
  override ioctl(_request: number, _argument: IoctlArgument, _caller: Caller): number {
    return -EBADF;
  }
  override getdents(_emit: EmitEntry): number {
    return -EBADF;
  }
  override truncate(_size: number): number {
    return -EBADF;
  }
  override fallocate(_mode: number, _offset: number, _length: number): number {
    return -EBADF;
  }
  override sync(): number {
    return -EBADF;
  }
  override mapPages(): FilePages | number {
    return -EBADF;
  }
  override setStatusFlags(_flags: number): number {
    return -EBADF;
  }
}
