import { type Figure } from './figure.js'
import type { Contender, Row } from './harness.js'
import { smallMessage, type Way, waysOf } from './one-way.js'
import { processorTime, tick } from './os-process.js'

/** What both ends use, in seconds for a million messages. Less than a tick is not seen. */
const weighed = (way: Way): Contender => ({
  name: way.name,
  run: async n => {
    const ends = [way.sender, way.receiver]
    const before = ends.map(processorTime)
    const { ms } = await way.run(n)
    const [sender = 0, receiver = 0] = ends.map((end, index) => (Math.max(processorTime(end) - before[index]!, tick) * 1e6) / n)
    return { ms, value: sender, also: [receiver] }
  },
})

export const cpu: Figure = {
  name: 'cpu',
  about: 'processor time of both ends while small messages go to another node as fast as they go',

  async rows(stage) {
    const { toBeam, fromBeam, toNode, beams } = await waysOf(stage, smallMessage)
    const row = (name: string, ours: Way): Row => ({
      name: `${name}: the sender`,
      unit: 's per 1 M messages',
      better: 'less',
      also: [{ name: '  the receiver', unit: 's per 1 M messages', better: 'less' }],
      ms: 1000,
      ours: weighed(ours),
      peers: [weighed(beams)],
    })
    return [row('TypeScript to BEAM', toBeam), row('BEAM to TypeScript', fromBeam), row('TypeScript to TypeScript', toNode)]
  },
}
