/**
 * @file Writes a stand-in for Electron's own zip file, where that cannot be had: the files that Forge's packager expects, the
 * executable being a script that carries a fuse wire as Electron's binary does. Enough to package the app and to look at the result.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { electronVersion } from '../electron/packaging/layout.ts'

/** Where @electron/fuses finds the wire: this text, version 1, the count, and one character a fuse. */
const sentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
const shippedFuses = '101000011'
const executable = `#!/bin/sh\necho 'this package was made without Electron' >&2\nexit 1\n${sentinel}\u0001${String.fromCharCode(shippedFuses.length)}${shippedFuses}`

/** Makes `folder` one that ELECTRON_ZIP_DIR can name, for this Linux machine. */
export async function writeStandInElectron(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const files = { electron: executable, version: electronVersion, LICENSE: 'none', 'LICENSES.chromium.html': 'none', 'resources/default_app.asar': '', 'locales/en-US.pak': '' }
  await writeFile(path.join(folder, `electron-v${electronVersion}-linux-${process.arch}.zip`), zip(files))
}

/** A zip file of stored (uncompressed) executable files. */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const data = Buffer.from(text, 'latin1')
    const shared = Buffer.alloc(26) // from "version needed" to "extra length": the same in both headers
    shared.writeUInt16LE(20, 0)
    shared.writeUInt32LE(crc32(data), 10)
    shared.writeUInt32LE(data.length, 14)
    shared.writeUInt32LE(data.length, 18)
    shared.writeUInt16LE(name.length, 22)
    const body = Buffer.concat([Buffer.from('PK\u0003\u0004'), shared, Buffer.from(name), data])
    const rest = Buffer.alloc(14) // comment, disk, attributes, place
    rest.writeUInt32LE((0o100755 << 16) >>> 0, 6)
    rest.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\u0001\u0002'), Buffer.from([20, 3]), shared, rest, Buffer.from(name)) // 3: made on Unix
    bodies.push(body)
    offset += body.length
  }
  const end = Buffer.alloc(18)
  end.writeUInt16LE(Object.keys(files).length, 4)
  end.writeUInt16LE(Object.keys(files).length, 6)
  end.writeUInt32LE(Buffer.concat(directory).length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...bodies, ...directory, Buffer.from('PK\u0005\u0006'), end])
}
