/** A node whose process `sink` counts what comes: `far.mjs COOKIE`. Says its name, and ends with its channel. */
import process from 'node:process'
import { atom, Node } from 'beamlet'

/** @import { Pid, Term, Tuple } from 'beamlet' */

const node = await Node.start({ name: `bench-far-${process.pid}@127.0.0.1`, cookie: /** @type {string} */ (process.argv[2]) })
node.spawn(
  async self => {
    for (;;) {
      const [, n, from] = /** @type {Tuple<[Term, number, Pid]>} */ (await self.receive()).elements
      for (let i = 0; i < n; i++) await self.receive()
      self.send(from, atom('done'))
    }
  },
  { name: 'sink' },
)
process.once('disconnect', () => void node.close())
process.send?.(node.name)
