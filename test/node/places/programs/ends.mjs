// Ends in the way that its first word over descriptor 3 says.
import { Socket } from 'node:net'

/** @type {Record<string, () => unknown>} */
const ways = {
  exit: () => process.exit(3),
  environment: () => socket.end(JSON.stringify(process.env)),
  abort: () => process.abort(),
  segfault: () => process.kill(process.pid, 'SIGSEGV'),
  loop: () => {
    for (;;);
  },
  array: () => {
    const all = []
    for (;;) all.push({})
  },
  buffers: () => {
    const all = []
    setInterval(() => all.push(Buffer.alloc(2 ** 24, 1)), 1)
  },
}

const socket = new Socket({ fd: 3 })
socket.once('data', word => ways[String(word)]?.())
