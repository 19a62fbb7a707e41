/** Reads the table of spec/conformance.md and looks for the tests it names. */
export interface Row {
  readonly claim: string
  readonly test: string
  readonly seenOn: string
}

/** The rows of every table of three columns, without the heads. */
export const rowsOf = (markdown: string): Row[] =>
  markdown
    .split('\n')
    .filter(line => line.startsWith('|') && !/^\|[-:| ]+\|$/.test(line))
    .map(line => line.split(/(?<!\\)\|/).map(cell => cell.trim().replaceAll('\\|', '|')))
    .map(([, claim = '', test = '', seenOn = '']) => ({ claim, test, seenOn }))
    .filter(({ claim }) => claim !== 'Claim')

const places = new Set(['25', '27', '29', 'spec', 'Beamlet'])

/** What is wrong with each row. `source` gives a test file's text. */
export const unheld = (rows: readonly Row[], source: (path: string) => string | undefined): string[] =>
  rows.flatMap(({ claim, test, seenOn }) => {
    const [, path, name] = /^`([^`]+)` · (.+)$/.exec(test) ?? []
    const strange = seenOn.split(/[\s,]+/).find(place => !places.has(place))
    if (path === undefined || name === undefined) return [`${claim}: the Test column is not \`path\` · name`]
    if (strange === '') return [`${claim}: the Seen on column says nothing`]
    if (strange !== undefined) return [`${claim}: "${strange}" is no release of ours, nor spec, nor Beamlet`]
    const text = source(path)
    if (text === undefined) return [`${claim}: there is no ${path}`]
    return names(text, name) ? [] : [`${claim}: ${path} has no test "${name}"`]
  })

/** Is that a string literal of the source, whatever its quotes? */
const names = (text: string, name: string): boolean =>
  ["'", '"', '`'].some(quote => text.includes(quote + name.replaceAll(quote, `\\${quote}`) + quote))
