/**
 * @file Draws the app's icon: halftone dots that shrink from one corner to the other, on a rounded dark square. `node
 * electron/packaging/icon.ts` writes icon.png, icon.ico and icon.icns to assets/icons; the last two are only boxes of PNGs.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { crc32, deflateSync } from 'node:zlib'

const ground = [23, 24, 27] as const
const dot = [245, 181, 61] as const
const dotsAcross = 6
/** Share of the side: the margin around the square, and its corner radius. */
const margin = 0.06
const corner = 0.2

const clamp = (value: number): number => Math.min(1, Math.max(0, value))

/** How much of the pixel at (x, y), in units of the side, the square and a dot cover; `pixel` is the width of the soft edge. */
function coverage(x: number, y: number, pixel: number): { square: number; dots: number } {
  const reach = 0.5 - margin - corner
  const outside = Math.hypot(Math.max(0, Math.abs(x - 0.5) - reach), Math.max(0, Math.abs(y - 0.5) - reach))
  const step = (1 - 4 * margin) / dotsAcross
  const place = (at: number): number => Math.min(dotsAcross - 1, Math.max(0, Math.floor((at - 2 * margin) / step)))
  const [column, row] = [place(x), place(y)]
  const far = Math.hypot(x - 2 * margin - (column + 0.5) * step, y - 2 * margin - (row + 0.5) * step)
  const radius = step * (0.48 - 0.36 * ((column + row) / (2 * dotsAcross - 2)))
  return { square: clamp((corner - outside) / pixel + 0.5), dots: clamp((radius - far) / pixel + 0.5) }
}

function png(side: number): Buffer {
  const rows = Buffer.alloc(side * (1 + 4 * side)) // each row begins with its filter, 0
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const { square, dots } = coverage((x + 0.5) / side, (y + 0.5) / side, 1 / side)
      const at = y * (1 + 4 * side) + 1 + 4 * x
      ground.forEach((value, channel) => { rows[at + channel] = Math.round(value + (dot[channel] - value) * dots) })
      rows[at + 3] = Math.round(255 * square)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([8, 6, 0, 0, 0], 8) // 8 bits, colour and transparency
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  return Buffer.concat([unsigned(data.length), body, unsigned(crc32(body))])
}

function unsigned(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** One image of 256 pixels; a width of 0 says so. */
function ico(image: Buffer): Buffer {
  const header = Buffer.alloc(22)
  header.set([0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 32, 0])
  header.writeUInt32LE(image.length, 14)
  header.writeUInt32LE(header.length, 18)
  return Buffer.concat([header, image])
}

function icns(images: Readonly<Record<string, Buffer>>): Buffer {
  const entries = Object.entries(images).map(([type, image]) => Buffer.concat([Buffer.from(type, 'latin1'), unsigned(8 + image.length), image]))
  return Buffer.concat([Buffer.from('icns', 'latin1'), unsigned(8 + Buffer.concat(entries).length), ...entries])
}

const write = (name: string, bytes: Buffer): void => { writeFileSync(path.join(import.meta.dirname, '../../assets/icons', name), bytes) }
write('icon.png', png(512))
write('icon.ico', ico(png(256)))
write('icon.icns', icns({ ic07: png(128), ic08: png(256), ic09: png(512), ic10: png(1024) }))
