/**
 * Terms on lines of a given length, as `~p` prints them: what does not fit on the line goes on the next, indented by what it belongs to, or
 * by 4 columns or 1 where that would push it to the right.
 *
 * Source: io_lib_pretty.erl (print, pp, cind).
 */
import { format as formatTerm, type Term } from '../../term/index.js'
import {
  type Field,
  type Mapping,
  type Native,
  type Pair,
  type Sequence,
  type Shape,
  shapeOf,
  type ShapeOptions,
  TooDeep,
} from './io-lib-shape.js'

export interface PrettyOptions extends ShapeOptions {
  /** Where the term begins, from 1 */
  readonly column: number
  /** Columns of a line; 0: all on one line */
  readonly lineLength: number
}

/** A term as `~p`, `~P`, `~w` and `~W` print it. One that is nested too deep is printed on one line, and whole. */
export function pretty(term: Term, options: PrettyOptions): string {
  const { depth, lineLength, strings } = options
  if (depth === 0) return '...'
  const column = Math.max(1, options.column)
  try {
    const shape = shapeOf(term, options)
    if (shape.kind === 'text' || lineLength === 0 || shape.length < lineLength - column) return oneLine(shape)
    const indent = [-1, 4].find(indent => {
      const layout = new Layout(lineLength, shape.length, indent, true)
      layout.lines(shape, column, column - 1, 0, 0)
      return !layout.tooFarRight
    })
    return new Layout(lineLength, shape.length, indent ?? 1, false).lines(shape, column, column - 1, 0, 0)
  } catch (error) {
    if (error instanceof TooDeep) return formatTerm(term, { strings })
    throw error
  }
}

const marks = { list: ['[', ']', '|'], tuple: ['{', '}', ','], tagged: ['{', '}', ','] } as const

function oneLine(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
    case 'bytes':
      return shape.text
    case 'pair':
      return `${oneLine(shape.key)} => ${oneLine(shape.value)}`
    case 'field':
      return `${shape.name} = ${oneLine(shape.value)}`
    case 'map':
      return `#{${items(shape, ',')}}`
    case 'record':
      return `${shape.name}{${items(shape, ',')}}`
    default: {
      const [open, close, before] = marks[shape.kind]
      return open + items(shape, before) + close
    }
  }
}

function items({ items, rest }: Sequence | Mapping | Native, before: string): string {
  const all = items.map(oneLine).join(',')
  if (rest === null) return all
  return `${all}${items.length > 0 ? before : ''}${rest === 'dots' ? '...' : oneLine(rest)}`
}

const isText = ({ kind }: Shape): boolean => kind === 'text'

/** May others stand on the same line after it? */
const isPlain = (shape: Shape): boolean => {
  if (shape.kind === 'pair') return isText(shape.key) && isText(shape.value)
  return isText(shape.kind === 'field' ? shape.value : shape)
}

/** Places the parts of one term. Columns count from 1; `indent` is in spaces; `used` is what of the text stands on this line already. */
class Layout {
  readonly #line: number
  readonly #all: number
  readonly #tagIndent: number
  /** Are there other ways to indent, if this one has no room? */
  readonly #trying: boolean
  tooFarRight = false

  constructor(line: number, all: number, tagIndent: number, trying: boolean) {
    this.#line = line
    this.#all = all
    this.#tagIndent = tagIndent
    this.#trying = trying
  }

  /** @param closing brackets that follow */
  lines(shape: Shape, column: number, indent: number, closing: number, used: number): string {
    if (this.tooFarRight) return ''
    if (this.#fits(shape.length, column, closing, used)) return oneLine(shape)
    switch (shape.kind) {
      case 'list':
      case 'tuple': {
        const [open, close, before] = marks[shape.kind]
        return open + this.#list(shape, 0, column + 1, indent + 1, closing, before, used + 1) + close
      }
      case 'tagged':
        return `{${this.#tagged(shape, column, indent, closing, used + 1)}}`
      case 'map':
        return `#{${this.#map(shape, column + 2, indent + 2, closing, used + (this.#trying ? 2 : 1))}}`
      case 'record':
        return `${shape.name}{${this.#record(shape, column, indent, closing, used + shape.nameLength + 1)}}`
      case 'bytes':
        return this.#bytes(shape.text, column + 2, indent + 2, closing, used)
      default:
        return oneLine(shape)
    }
  }

  #fits(length: number, column: number, closing: number, used: number): boolean {
    return length < this.#line - column - closing && length + used + closing <= this.#all
  }

  /** Is there room on this line behind a comma? */
  #follows(item: Shape, column: number, closing: number, used: number): boolean {
    if (!isPlain(item)) return false
    return this.#fits(item.length + 1, column, Math.max(1, closing), used)
  }

  #roomAt(column: number, strictly: boolean): void {
    const fits = strictly
      ? this.#all + column < this.#line || column < Math.floor(this.#line / 2)
      : this.#all + column <= this.#line || column <= Math.floor(this.#line / 2)
    if (this.#trying && !fits) this.tooFarRight = true
  }

  #tagged(shape: Sequence, column: number, indent: number, closing: number, used: number): string {
    const [tag] = shape.items
    if (!tag) return '...'
    const [behind, narrow] = [tag.length + 2, this.#tagIndent]
    if (narrow > 0 && behind > narrow) {
      this.#roomAt(column + narrow, false)
      return oneLine(tag) + this.#tail(shape, 1, column + narrow, column + behind, indent + narrow, closing, ',', used + tag.length)
    }
    this.#roomAt(column + behind, true)
    return `${oneLine(tag)},${this.#list(shape, 1, column + behind, indent + behind, closing, ',', used + tag.length + 1)}`
  }

  #list(shape: Sequence, from: number, column: number, indent: number, closing: number, before: string, used: number): string {
    const first = shape.items[from]
    if (!first) return '...'
    const [text, taken] = this.#element(first, column, indent, from + 1 < shape.items.length ? 0 : closing + 1, used)
    return text + this.#tail(shape, from + 1, column, column + taken, indent, closing, before, used + taken)
  }

  #tail(
    { items, rest }: Sequence,
    from: number,
    start: number,
    column: number,
    indent: number,
    closing: number,
    before: string,
    used: number,
  ): string {
    const out: string[] = []
    for (let i = from; i < items.length; i++) {
      const item = items[i] as Shape
      const left = i + 1 < items.length ? 0 : closing + 1
      if (this.#follows(item, column, left, used)) {
        out.push(',', oneLine(item))
        column += item.length + 1
        used += item.length + 1
      } else {
        const [text, taken] = this.#element(item, start, indent, left, 0)
        out.push(',\n', ' '.repeat(indent), text)
        column = start + taken
        used = taken
      }
    }
    if (rest === 'dots') out.push(before, '...')
    else if (rest !== null && isText(rest) && this.#fits(rest.length + 1, column, closing + 1, used)) out.push(before, oneLine(rest))
    else if (rest !== null)
      out.push(before, '\n', ' '.repeat(indent), this.lines(rest, this.#trying ? column : start, indent, closing + 1, 0))
    return out.join('')
  }

  /** What is not plain takes all that is left of the line, so that the next one begins another. */
  #element(item: Shape, column: number, indent: number, closing: number, used: number): [text: string, taken: number] {
    if (isText(item) && this.#fits(item.length, column, closing, used)) return [oneLine(item), item.length]
    return [this.lines(item, column, indent, closing, used), this.#line]
  }

  #map({ items, rest }: Mapping, start: number, indent: number, closing: number, used: number): string {
    return this.#members(items, rest, start, indent, closing, used, false, (item, left, used) =>
      this.#pair(item, start, indent, left, used),
    )
  }

  /** @param adds does the first one's width add to what is used? */
  #members<S extends Pair | Field>(
    all: readonly S[],
    rest: 'dots' | null,
    start: number,
    indent: number,
    closing: number,
    used: number,
    adds: boolean,
    place: (item: S, closing: number, used: number) => [text: string, taken: number],
  ): string {
    const out: string[] = []
    let column = start
    for (const [i, item] of all.entries()) {
      const left = i + 1 < all.length ? 0 : closing + 1
      if (i > 0 && this.#follows(item, column, left, used)) {
        out.push(',', oneLine(item))
        column += item.length + 1
        used += item.length + 1
        continue
      }
      const [text, taken] = place(item, left, i > 0 ? 0 : used)
      out.push(i > 0 ? `,\n${' '.repeat(indent)}` : '', text)
      column = start + taken
      used = i === 0 && adds ? used + taken : taken
    }
    if (rest === 'dots') out.push(all.length > 0 ? ',...' : '...')
    return out.join('')
  }

  #pair(pair: Pair, column: number, indent: number, closing: number, used: number): [text: string, taken: number] {
    if (this.#fits(pair.length, column, closing, used)) return [oneLine(pair), isPlain(pair) ? pair.length : this.#line]
    const more = this.#tagIndent > 0 ? this.#tagIndent : 4
    const key = this.lines(pair.key, column, indent, closing, used)
    const value = this.lines(pair.value, column + more, indent + more, closing, 0)
    return [`${key} =>\n${' '.repeat(indent + more)}${value}`, this.#line]
  }

  #record({ items, rest, nameLength }: Native, column: number, indent: number, closing: number, used: number): string {
    if (items.length === 0) return rest === 'dots' ? '...' : ''
    const [more, broken] = this.#behindName(nameLength + 1, column)
    const start = column + more
    const place = (item: Field, left: number, used: number): [string, number] => this.#field(item, start, indent + more, left, used)
    const fields = this.#members(items, rest, start, indent + more, closing, broken ? 0 : used, true, place)
    return broken ? `\n${' '.repeat(indent + more)}${fields}` : fields
  }

  #field(field: Field, column: number, indent: number, closing: number, used: number): [text: string, taken: number] {
    if (this.#fits(field.length, column, closing, used)) return [oneLine(field), isPlain(field) ? field.length : this.#line]
    const [more, broken] = this.#behindName(field.nameLength, column)
    const value = this.lines(field.value, column + more, indent + more, closing, broken ? 0 : used + field.nameLength)
    return [`${field.name} =${broken ? `\n${' '.repeat(indent + more)}` : ' '}${value}`, this.#line]
  }

  /** How much further what follows a name is indented, and whether on a line of its own. */
  #behindName(length: number, column: number): [more: number, broken: boolean] {
    const broken = this.#tagIndent > 0 && length > this.#tagIndent
    const more = broken ? this.#tagIndent : length
    this.#roomAt(column + more, false)
    return [more, broken]
  }

  /** Numbers, as many as fit on each line. */
  #bytes(text: string, column: number, indent: number, closing: number, used: number): string {
    const room = Math.max(8, Math.min(this.#line - column, this.#all - 4 - used) - closing)
    const numbers = text.slice(2, -2).split(',')
    const out: string[] = []
    let left = room
    for (const [i, number] of numbers.entries()) {
      const last = i + 1 === numbers.length
      const length = number.length + (last ? 0 : 1)
      if (length > left) {
        out.push(`\n${' '.repeat(indent)}`)
        left = room
      }
      out.push(number, last ? '' : ',')
      left -= length
    }
    return `<<${out.join('')}>>`
  }
}
