import { readFileSync } from 'node:fs'
import t from 'tap'
import { decode } from '../../src/etf/index.js'
import { ioLibFormat } from '../../src/otp/io/io-lib-format.js'
import { Atom, atom, NativeRecord, type Term, tuple } from '../../src/index.js'

/** What OTP 29 printed; null where it raised badarg. */
interface Row {
  readonly format: string
  readonly args: string
  readonly printed: string | null
  /** What each release printed, where they differ */
  readonly by?: Readonly<Record<string, string>>
}

const rows = JSON.parse(readFileSync('spec/vectors/io-lib-format.json', 'utf8')) as readonly Row[]
const valuesOf = ({ args }: Row): readonly Term[] => decode(Buffer.from(args, 'base64'), { floats: 'exact' }) as readonly Term[]

/** Integers are taken for floats. */
const lenient = ({ format, printed }: Row): boolean => printed === null && ['~f', '~.3f', '~g'].includes(format)

function printedHere(row: Row): string | null {
  try {
    return ioLibFormat(row.format, valuesOf(row))
  } catch (error) {
    if (error instanceof TypeError || (error as { code?: string }).code === 'ERR_TERM_TEXT') return null
    throw error
  }
}

t.test('io_lib:format prints as real OTP does', t => {
  t.ok(rows.length > 2500)
  const wrong = rows
    .filter(row => !lenient(row))
    .flatMap(row => (printedHere(row) === row.printed ? [] : [{ ...row, here: printedHere(row) }]))
  t.strictSame(wrong, [])
  t.ok(rows.filter(({ printed }) => printed === null).length > 100, 'what is badarg there is refused')
  t.end()
})

t.test('the releases differ in two atoms alone, which became keywords', t => {
  const differ = rows.filter(({ by }) => by)
  t.strictSame(new Set(differ.map(({ printed }) => printed)), new Set(["'maybe'", "'else'"]))
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

t.test('maps in the order of their keys', t => {
  const map = new Map<Term, Term>([
    [3, 1],
    [1, 2],
    [2, 3],
  ])
  t.equal(
    ioLibFormat('~0kp ~0Kp ~Kw', [map, atom('reversed'), map, atom('ordered'), map]),
    ['#{1 => 2,2 => 3,3 => 1} #{3 => 1,2 => 3,1 => 2} #{1 => 2,2 => 3,3 => 1}'].join(),
  )
  t.equal(ioLibFormat('~0Kp', [atom('undefined'), map]), '#{3 => 1,1 => 2,2 => 3}')
  t.throws(() => ioLibFormat('~Kp', [tuple(), map]), TypeError)
  t.end()
})

t.test('native records, as OTP 29 prints them', t => {
  const fields: [Atom, Term][] = [
    [Atom.intern('first'), [1, 2]],
    [Atom.intern('second'), tuple(atom('ok'), 3)],
  ]
  const record = new NativeRecord(Atom.intern('nr'), Atom.intern('r'), fields, 0)
  const lines = ['first =', ' [1,', '  2],', 'second =', ' {ok,', '  3}}']
  const first = '#nr:r{first = [1,2],second = {ok,3}}|#nr:r{'
  const last = '|#nr:r{first = [...],...} #nr:r{first = [...],...}'
  const expected = `${[first, ...lines.map(line => ' '.repeat(38) + line)].join('\n')}${last}`
  t.equal(ioLibFormat('~p|~20p|~P ~W', [record, record, record, 3, record, 2]), expected)
  t.end()
})

t.test('what is nested deeper than can be laid out is printed on one line', t => {
  let deep: Term = []
  for (let i = 0; i < 5000; i++) deep = [deep, i]
  const printed = ioLibFormat('~p', [deep])
  t.ok(printed.startsWith('[[[[') && printed.endsWith(',4999]') && !printed.includes('\n'))
  t.end()
})

t.test('a field that would fill the memory is refused', t => {
  for (const format of ['~999999999s', '~.999999999s', '~999999999c']) t.throws(() => ioLibFormat(format, [65]), TypeError)
  t.throws(() => ioLibFormat('~*s', [2 ** 40, Buffer.from('x')]), TypeError)
  t.end()
})
