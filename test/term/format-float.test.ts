import fc from 'fast-check'
import t from 'tap'
import { formatFloat } from '../../src/term/format-float.js'

// as OTP 25, 27 and 29 print them; interop/term.test.ts asks them for many more
const printed = `0.1 1.0 10.0 100.0 1.0e3 1.0e4 1.0e5 123456.0 1200.5 1.2e3 0.01 0.001 0.0001 1.0e-5 0.0012 1.2e-4 1.25e-4 1.0e15 1.0e22 1.0e-7
  3.14 100.5 1000.5 123456789012.0 9007199254740991.0 9.007199254740992e15 1.7976931348623157e308 5.0e-324 2.2250738585072014e-308 0.0`

for (const text of printed.split(/\s+/)) {
  t.equal(formatFloat(Number(text)), text)
  t.equal(formatFloat(-Number(text)), `-${text}`)
}

t.test('reads back as the same float', async t => {
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), x => Object.is(Number(formatFloat(x)), x)))
  t.pass()
})
