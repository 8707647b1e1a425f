/** The part of the WebAssembly JavaScript API that common code uses (no DOM or Node types there). */
declare namespace WebAssembly {
  interface MemoryDescriptor { initial: number; maximum?: number; shared?: boolean }
  class Memory { constructor(descriptor: MemoryDescriptor); readonly buffer: ArrayBuffer; grow(delta: number): number }
  interface TableDescriptor { element: "anyfunc"; initial: number; maximum?: number }
  class Table { constructor(descriptor: TableDescriptor); readonly length: number; get(index: number): unknown; set(index: number, value?: unknown): void; grow(delta: number): number }
  class Module { constructor(bytes: Uint8Array | ArrayBuffer); static customSections(m: Module, name: string): ArrayBuffer[] }
  function compile(bytes: ArrayBuffer | Uint8Array): Promise<Module>;
  /** Whether the bytes are a valid module; makes no code. */
  function validate(bytes: ArrayBuffer | Uint8Array): boolean;
  class Instance { constructor(module: Module, imports?: Record<string, Record<string, unknown>>); readonly exports: Record<string, unknown> }
}
