export interface NodeErrorOptions extends ErrorOptions {
  /** What to do about it, in sentences of its own */
  readonly remedy?: string | undefined
}

/**
 * The base of every error that Beamlet throws. `code` is stable and stands in the message too; the message is a sentence
 * that says what to do. Each layer has one subclass of its own.
 */
export class NodeError extends Error {
  readonly code: string
  /** What happened: the message without remedy and code */
  readonly says: string
  /** What to do about it, where that is told apart from `says` */
  readonly remedy: string | undefined

  constructor(code: string, says: string, { remedy, ...options }: NodeErrorOptions = {}) {
    super(`${says}${remedy === undefined ? '' : ` ${remedy}`} [${code}]`, options)
    this.code = code
    this.says = says
    this.remedy = remedy
  }

  override get name(): string {
    return this.constructor.name
  }
}

/** A value or a text that is no Erlang term. Codes begin with `ERR_TERM_`. */
export class TermError extends NodeError {}

/** A text that is no Erlang term: code `ERR_TERM_SYNTAX`. Lines and columns count from 1, columns in characters, `position` in UTF-16 units. */
export class TermSyntaxError extends TermError {
  readonly line: number
  readonly column: number
  readonly position: number

  constructor(sentence: string, text: string, position: number, options?: ErrorOptions) {
    const lines = text.slice(0, position).split('\n')
    const column = [...lines.at(-1)!].length + 1
    super('ERR_TERM_SYNTAX', `${sentence} (line ${lines.length}, column ${column})`, options)
    this.line = lines.length
    this.column = column
    this.position = position
  }
}
