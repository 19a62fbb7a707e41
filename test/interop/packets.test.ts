import fc from 'fast-check'
import t from 'tap'
import { packet, Packets } from '../../src/interop/packets.js'

t.equal(packet(Buffer.from('ab'), Buffer.from('c')).toString('hex'), '00000003616263')

t.test('packets come out whole, however the chunks were cut', t => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.infiniteStream(fc.integer({ min: 1, max: 30 })), (bodies, cuts) => {
      const wire = Buffer.concat(bodies.map(body => packet(body)))
      const packets = new Packets()
      const got: Buffer[] = []
      for (let at = 0; at < wire.length;) {
        const end = at + (cuts.next().value ?? 1)
        got.push(...packets.push(wire.subarray(at, end)))
        at = end
      }
      t.strictSame(
        got.map(String),
        bodies.map(body => String(Buffer.from(body))),
      )
    }),
    { numRuns: 50 },
  )
  t.end()
})
