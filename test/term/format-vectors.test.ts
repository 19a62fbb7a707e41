/** What real nodes printed of the golden terms, with `io_lib:format("~0tp")`: printed alike, and read back. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { decode } from '../../src/etf/index.js'
import { type Atom, atom, equals, format, hostNode, isMap, parse, type Term } from '../../src/term/index.js'

type Vector = { readonly kind: string; readonly name: string; readonly text?: string; readonly hex: string }

/** Names of vectors that print differently here, and why. */
const differences: readonly { readonly why: string; readonly otp?: string; readonly names: RegExp }[] = [
  { why: 'maybe is a keyword from OTP 27 on', otp: '25', names: /^atom 'maybe'$/ },
  {
    why: 'those nodes ran without `+pc unicode`, so that text beyond Latin-1 printed as numbers',
    names: /^(binary <<"\\x\{|list \[\d|list "\\x\{)/,
  },
  { why: 'erts does not decode the names of a fun: it prints their UTF-8 bytes as Latin-1', names: /^export fun fun '\\x\{/ },
]

/** The numbers of other nodes are each node's own. */
const withoutNodeNumbers = (text: string): string => text.replaceAll(/(?<=(^|[^<])<)[1-9]\d*(?=(\.\d+)+>)/g, 'N')

/** Pids, ports, references, closures and native records cannot be read from text. */
const hasLiteral = (text: string): boolean => !/(^|[^<])<\d+\.\d+\.\d+>|#(Ref|Port|Fun)<|#[a-z']\w*'?:/.test(text)

/** A node sends the entries of a map of more than 32 in the reverse of the order in which it prints them. */
const asPrinted = (term: Term): Term => (isMap(term) && term.size > 32 ? new Map([...term].toReversed()) : term)

for (const otp of ['25', '27', '29']) {
  t.test(`the golden terms print as OTP ${otp} printed them`, async t => {
    const { vectors } = JSON.parse(readFileSync(new URL(`../../spec/vectors/otp${otp}.json`, import.meta.url), 'utf8')) as {
      vectors: Vector[]
    }
    const unhost = hostNode(atom('nonode@nohost') as Atom)
    t.teardown(unhost)
    let [printed, read] = [0, 0]
    const used = new Set<string>()
    for (const { kind, name, text, hex } of vectors) {
      if (kind !== 'term' || text === undefined) continue
      const term = decode(Buffer.from(hex, 'hex'), { floats: 'exact' })
      const difference = differences.find(rule => rule.names.test(name) && (rule.otp ?? otp) === otp)
      const ours = withoutNodeNumbers(format(asPrinted(term)))
      const same = ours === withoutNodeNumbers(text)
      if (difference !== undefined && !same) used.add(difference.why)
      else if (!same) t.equal(ours, text, name)
      printed++
      if (!hasLiteral(text)) t.throws(() => parse(text), { code: 'ERR_TERM_SYNTAX' }, name)
      else if (!name.startsWith("export fun fun '\\x") && !equals(parse(text), term)) t.fail(`${name} is read as ${format(parse(text))}`)
      else read++
    }
    t.ok(printed > 400, `${printed} terms print alike`)
    t.ok(read > 350, `${read} of them are read`)
    t.equal(used.size, differences.filter(rule => (rule.otp ?? otp) === otp).length, 'each difference is one')
  })
}
