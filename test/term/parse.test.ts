import t from 'tap'
import {
  atom,
  BitString,
  equals,
  ExportFun,
  float,
  format,
  ImproperList,
  parse,
  type Term,
  TermSyntaxError,
  tuple,
} from '../../src/term/index.js'
import { nested } from './arbitrary-term.js'

const [a, b] = [atom('a'), atom('b')]
const list = (text: string): number[] => Array.from(text, c => c.codePointAt(0)!)

t.test('what erl_parse reads', async t => {
  const read: Readonly<Record<string, Term>> = {
    a,
    "'a'": a,
    "'two words'": atom('two words'),
    "''": atom(''),
    'étÉ@_9': atom('étÉ@_9'),
    maybe: atom('maybe'),
    true: true,
    "'false'": false,
    nil: null,
    [String.raw`'\'\\\"\n\r\t\v\b\f\e\s\d\0\7\08\101\x41\x{1F600}\^A\^z\^[\^?\q'`]: atom(
      '\'\\"\n\r\t\v\b\f\x1b \x7f\0\x07\x008AA😀\x01\x1a\x1b\x7fq',
    ),
    '0': 0,
    '-0': 0,
    '- 5': -5,
    '+5': 5,
    '1_000_000': 1_000_000,
    '9007199254740991': 2 ** 53 - 1,
    '9007199254740992': 2n ** 53n,
    '-123456789012345678901234567890': -123456789012345678901234567890n,
    '16#fF': 255,
    '-16#ff': -255,
    '2#1_0': 2,
    '36#Zz': 1295,
    '16#ffffffffffffffffffff': 0xffffffffffffffffffffn,
    '3#2222222222222222222222222222222222222222': 3n ** 40n - 1n,
    $a: 97,
    '$ ': 32,
    $é: 0xe9,
    '$😀': 0x1f600,
    [String.raw`$\n`]: 10,
    [String.raw`$\x{65e5}`]: 0x65e5,
    '-$a': -97,
    '1.5': 1.5,
    '-1.5e-3': -0.0015,
    '2.0': float(2),
    '1.0E3': float(1000),
    '1_0.2_5e+1': 102.5,
    '0.0': float(0),
    '-0.0': float(-0),
    '1.0e22': 1e22,
    '"abc"': list('abc'),
    '""': [],
    '"a" "b"\n"c"': list('abc'),
    [String.raw`"日\x{65e5}\"\n"`]: list('日日"\n'),
    '[]': [],
    '[ ]': [],
    '[a,[b],{}]': [a, [b], tuple()],
    '[a|b]': new ImproperList([a], b),
    '[a,b|<<>>]': new ImproperList([a, b], Buffer.alloc(0)),
    '[a|[]]': [a],
    '[a|[b|[1,2|[]]]]': [a, b, 1, 2],
    '[a|[b|1]]': new ImproperList([a, b], 1),
    '[1|"ab"]': [1, 97, 98],
    '{}': tuple(),
    '{a,{b,1},"x"}': tuple(a, tuple(b, 1), [120]),
    '#{}': new Map(),
    '# {a => 1, 1.0 => 2, 1 => 3}': new Map<Term, Term>([
      [a, 1],
      [float(1), 2],
      [1, 3],
    ]),
    '#{{1} => a, {1} => b}': new Map([[tuple(1), b]]),
    '#{a => 1, a => 2}': new Map([[a, 2]]),
    '#{<<"k">> => #{"k" => v}}': new Map([[Buffer.from('k'), new Map([[list('k'), atom('v')]])]]),
    '<<>>': Buffer.alloc(0),
    '<<1,2,255>>': Buffer.from([1, 2, 255]),
    '<<"abc">>': Buffer.from('abc'),
    '<<"é">>': Buffer.from([0xe9]),
    '<<"é"/utf8>>': Buffer.from('é'),
    '<<16#65e5/utf8, "日"/utf8>>': Buffer.from('日日'),
    '<<"a" "b",1>>': Buffer.from('ab\x01'),
    '<<$a,-1,256,300>>': Buffer.from([97, 255, 0, 44]),
    '<<5:3>>': new BitString(Buffer.from([0xa0]), 3),
    '<<1:4,2:4,3:9>>': new BitString(Buffer.from([0x12, 0x01, 0x80]), 1),
    '<<1:16>>': Buffer.from([0, 1]),
    '<<1:16/little>>': Buffer.from([1, 0]),
    '<<16#abc:12/little>>': new BitString(Buffer.from([0xbc, 0xa0]), 4),
    '<<-2:16/signed-big-integer>>': Buffer.from([255, 254]),
    '<<"ab":16/little>>': Buffer.from([97, 0, 98, 0]),
    '<<9:0,1>>': Buffer.from([1]),
    '<<1:72>>': Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1]),
    '<<123456789012345678901234567890:104>>': Buffer.from('018ee90ff6c373e0ee4e3f0ad2', 'hex'),
    'fun lists:reverse/1': new ExportFun(atom('lists'), atom('reverse'), 1),
    "fun 'End':'my fun' / 255": new ExportFun(atom('End'), atom('my fun'), 255),
    ' % a comment\n a % another\n . % and the last': a,
    '{ok}.\n': tuple(atom('ok')),
  }
  for (const [text, term] of Object.entries(read)) {
    const got = parse(text)
    if (!equals(got, term)) t.fail(`${text} is read as ${format(got)}`)
  }
  t.ok(Object.keys(read).length > 75)
})

t.test('numbers are what they would be when decoded', async t => {
  t.equal(typeof parse('1.5'), 'number')
  t.equal(typeof parse('9007199254740993'), 'bigint')
  t.strictSame(parse('1.0'), float(1))
})

t.test('what is no term, where, and what to do', async t => {
  const refused: Readonly<Record<string, readonly [sentence: string | RegExp, line: number, column: number]>> = {
    '': ['Expected a term, but the text ends', 1, 1],
    ' % nothing': ['Expected a term, but the text ends', 1, 11],
    '{ok, 1': ['Expected a comma or }, but the text ends', 1, 7],
    '{ok,}': ['Expected a term, but found }', 1, 5],
    '{ok 1}': ['Expected a comma or }, but found 1}', 1, 5],
    '[1,\n 2}': ['Expected a comma, | or ], but found }', 2, 3],
    '[|a]': ['Expected a term, but found |a]', 1, 2],
    '[a|b,c]': ['Expected ], but found ,c]', 1, 5],
    '[a|[b]': ['Expected ], but the text ends', 1, 7],
    '[a|b|c]': ['Expected ], but found |c]', 1, 5],
    '#{a}': ['Expected => after the key, but found }', 1, 4],
    '#{a => 1 b}': ['Expected a comma or }, but found b}', 1, 10],
    'a b': ['Expected nothing after the term, but found b', 1, 3],
    'a. b': ['Expected nothing after the term, but found b', 1, 4],
    "'abc": ["This atom has no closing '", 1, 1],
    '["é", "abc]': ['This string has no closing "', 1, 7],
    '"""\na\n"""': ['Triple-quoted strings are not read: write an ordinary one', 1, 1],
    '"\\x{110000}"': ['There is no such character', 1, 2],
    '"\\x{d800}"': ['There is no such character', 1, 2],
    '"\\xzz"': ['This is no escape sequence', 1, 2],
    '"😀\ud800"': ['A lone surrogate is no character', 1, 3],
    $: ['A character is missing after $', 1, 2],
    '1a': ['This is no number', 1, 1],
    '1.5x': ['This is no number', 1, 1],
    '1#0': ['A base is between 2 and 36', 1, 1],
    '2#12': ['These are no digits of base 2', 1, 1],
    '16#': ['These are no digits of base 16', 1, 1],
    '1.0e999': ['This float is too large', 1, 1],
    '-a': ['Expected a number after the sign, but found a', 1, 2],
    '1 + 2': ['Expected nothing after the term, but found +', 1, 3],
    X: ["X is a variable: the atom is written 'X'", 1, 1],
    '[_y]': ["_y is a variable: the atom is written '_y'", 1, 2],
    end: ["end is a reserved word: the atom is written 'end'", 1, 1],
    'fun() -> 1 end': ['Expected fun module:name/arity, but found ()', 1, 4],
    'fun a/1': ['Expected fun module:name/arity, but found /1', 1, 6],
    'fun a:b/256': ['Expected an arity from 0 to 255, but found 256', 1, 9],
    '[<0.85.0>]': ['A pid has no literal: it cannot be read from text', 1, 2],
    '#Ref<0.1.2.3>': ['A reference has no literal: it cannot be read from text', 1, 1],
    '#Port<0.5>': ['A port has no literal: it cannot be read from text', 1, 1],
    '{#Fun<m.0.1>}': ['A closure has no literal: it cannot be read from text', 1, 2],
    '#rec{a = 1}': ['A record is not read: write the tuple or the map that it is', 1, 1],
    '#m:rec{a = 1}': ['A record is not read: write the tuple or the map that it is', 1, 1],
    '<<1': ['Expected a comma or >>, but the text ends', 1, 4],
    '<<a>>': ['Expected an integer or a string, but found a>>', 1, 3],
    '<<1.0>>': ['Expected an integer or a string, but found 1.0>>', 1, 3],
    '<<1/float>>': ['Expected one of integer, utf8, big, little, signed, unsigned, but found float>>', 1, 5],
    '<<16#d800/utf8>>': ['There is no such character', 1, 3],
    '<<1:8/utf8>>': ['A segment of type utf8 has no size', 1, 4],
    '<<1:99999999999>>': ['The sizes of the binaries add up to more than 1 MiB', 1, 5],
    '[<<0:8000000>>,<<0:8000000>>]': ['The sizes of the binaries add up to more than 1 MiB', 1, 20],
    '{\\}': ['This character begins no term', 1, 2],
    [`'${'a'.repeat(256)}'`]: ['An atom has at most 255 characters', 1, 1],
  }
  for (const [text, [sentence, line, column]] of Object.entries(refused)) {
    const lines = text.split('\n').slice(0, line)
    const position = lines.slice(0, -1).join('\n').length + (line > 1 ? 1 : 0) + [...lines.at(-1)!].slice(0, column - 1).join('').length
    const message = `${sentence} (line ${line}, column ${column}) [ERR_TERM_SYNTAX]`
    t.throws(() => parse(text), { constructor: TermSyntaxError, code: 'ERR_TERM_SYNTAX', message, line, column, position }, text)
  }
})

t.test('200,000 levels, and a million characters', async t => {
  const n = 200_000
  const deep = parse('['.repeat(n) + ']'.repeat(n))
  t.ok(
    equals(
      deep,
      nested(n - 1, [], term => [term]),
    ),
  )
  const tails = parse('[1|'.repeat(n) + '2' + ']'.repeat(n)) as ImproperList
  t.equal(tails.elements.length, n)
  t.equal(tails.tail, 2)
  t.equal((parse(`"${'a'.repeat(1e6)}"`) as Term[]).length, 1e6)
  t.equal((parse('"a"'.repeat(3e5)) as Term[]).length, 3e5)
  t.equal((parse(`[${'1,'.repeat(n)}1]`) as Term[]).length, n + 1)
  t.equal((parse(`<<${'1,'.repeat(n)}1>>`) as Buffer).length, n + 1)
  t.equal((parse(`#{${Array.from({ length: 1e5 }, (_, i) => `{${i}} => a`).join()}}`) as Map<Term, Term>).size, 1e5)
  t.ok(parse('1'.repeat(1e6)) === (10n ** 1_000_000n - 1n) / 9n)
  t.ok(parse(`36#${'z'.repeat(2e5)}`) === 36n ** 200_000n - 1n)
  t.ok(parse(`1${'_1'.repeat(n)}`) === (10n ** BigInt(n + 1) - 1n) / 9n)
  t.equal(parse('%\n'.repeat(n) + ' '.repeat(n) + 'a'), a)
  t.throws(() => parse('#{'.repeat(n)), { code: 'ERR_TERM_SYNTAX', column: 2 * n + 1 })
})
